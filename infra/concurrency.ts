import * as z from 'zod/mini';

/** Of every account, so many stay for functions that reserve none: Lambda lets nobody reserve them. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const leftToOthers = 100;

const positive = z.int().check(z.positive());

/**
 * Concurrency that is kept for functions, so that an import, a burst of searches or a queue cannot take it from whoever stands at a bed. It is also the most that such a
 * function gets: at 100 ms a request, 40 serve 400 requests a second.
 */
export const concurrencySchema = z
  .strictObject({
    /** Concurrent executions that the account has in the region, as its quotas tell; a new account may have 10. */
    account: positive,
    /** By function: its source without folder and ending, such as `records/patient`. */
    reserved: z.record(z.string().check(z.regex(/^(?:records\/)?[a-z0-9-]+$/)), positive),
  })
  .check(
    z.refine(
      ({ account, reserved }) => Object.values(reserved).reduce((sum, each) => sum + each, 0) <= account - leftToOthers,
      { error: `at least ${leftToOthers} of the account are left to other functions` },
    ),
  );

export type Concurrency = z.infer<typeof concurrencySchema>;

/** What is kept for the functions without which nobody can be treated, where the account has Lambda's usual 1,000. */
export const clinicalConcurrency: Concurrency = {
  account: 1_000,
  reserved: {
    'records/patient': 80,
    'records/observation': 80,
    'records/medication-request': 60,
    'records/appointment': 60,
    system: 60, // bundles, and what is asked of the whole server
    'records/encounter': 40,
    'records/condition': 40,
    'records/allergy-intolerance': 40,
    'records/medication-administration': 40,
    'records/service-request': 40,
    'records/diagnostic-report': 40,
  },
};

/** The name by which `reserved` has the function of an entry: `functions/records/patient.ts` → `records/patient`. */
export const reservationName = (entry: string): string => entry.replace(/^functions\/|\.ts$/g, '');

/** @throws Error for a function that is none of these, for which concurrency would be kept in vain. */
export const requireFunctions = (concurrency: Concurrency | undefined, entries: readonly string[]): void => {
  const names = new Set(entries.map(reservationName));
  const unknown = Object.keys(concurrency?.reserved ?? {}).filter((name) => !names.has(name));
  if (unknown.length > 0)
    throw new Error(`Concurrency is reserved for what is no function of the API: ${unknown.join(', ')}`);
};
