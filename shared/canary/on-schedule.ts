import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod/mini';
import { log } from '../log.ts';
import { asApplication } from './ask.ts';
import { readCredentials, tokenFor } from './credentials.ts';
import { liveADay } from './day.ts';
import type { CanaryFailed } from './failure.ts';

const environment = z.object({
  /** Base of FHIR, as clients call it. */
  API_URL: z.url(),
  /** ARN of the secret with the credentials. */
  CANARY_SECRET: z.string().check(z.minLength(1)),
  AWS_REGION: z.string().check(z.minLength(1)),
});

/**
 * A handler that lives one day each time it is run. It logs how long each step took, and fails where a step did, so that the errors of the function are the failures of the canary.
 */
export const canaryOnSchedule = () => async (): Promise<void> => {
  const { API_URL: url, CANARY_SECRET: secret, AWS_REGION: region } = environment.parse(process.env);
  const token = await tokenFor(await readCredentials(secret, region));
  const { steps, failure } = await liveADay({ ask: asApplication(url, token), now: Date.now, wait });
  for (const { name, ms } of steps) log.info('canary', { interaction: name, durationMs: ms });
  if (failure) throw reported(failure);
};

/** Says which step it was: Lambda logs the message of an error that a function ends with. */
const reported = (failure: CanaryFailed): CanaryFailed => {
  log.warn('canary', { interaction: failure.step, reason: failure.message });
  return failure;
};
