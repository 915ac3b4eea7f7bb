import * as z from 'zod/mini';

/** Source of the canary. */
export const canaryEntry = 'functions/canary.ts';

/** How often the canary lives its day: docs/observability.md says what that costs and leaves. */
export const canarySchema = z.strictObject({
  /** At least two: a day takes up to one. */
  everyMinutes: z.int().check(z.gte(2), z.lte(1_440)),
});

/** Time that a day may take, in seconds. A request is answered within 30, and what is done has to be told within 30 more. */
export const canaryTimeoutSeconds = 110;
