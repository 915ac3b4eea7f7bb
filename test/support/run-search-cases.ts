import { cases, finds } from './search-cases.ts';

// Run by itself in a process whose TZ differs, since a thread cannot change its own. Prints the time zone and the cases that fail.
const failed = Object.values(cases).flatMap((rows) =>
  rows.filter(([query, resource, found]) => finds(query, resource) !== found).map(([query]) => query),
);
process.stdout.write(JSON.stringify({ timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone, failed }));
