// Instants are milliseconds since 1970. A year is the mean one, which is near enough for ages.

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
export const yearMs = 365.25 * dayMs;

/** FHIR dateTime in UTC, to the second. */
export const dateTime = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;

/** FHIR date in UTC. */
export const date = (instant: number): string => new Date(instant).toISOString().slice(0, 10);
