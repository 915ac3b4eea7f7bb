/** `npm run canary`: lives the canary's day at the running server, as an application of an organisation, and prints how long each step took. */
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { asApplication } from '../../shared/canary/ask.ts';
import { liveADay } from '../../shared/canary/day.ts';
import { localPassword } from '../local/users.ts';
import { CommandFailed, runCommand } from './command.ts';
import { findRunningServer } from './running-server.ts';
import { signIn } from './sign-in.ts';

const usage = 'Usage: npm run canary -- [--as system@northside.example]';

const options = () => {
  try {
    return parseArgs({ options: { as: { type: 'string', default: 'system@northside.example' } } }).values;
  } catch {
    throw new CommandFailed(usage);
  }
};

runCommand(async () => {
  const { as } = options();
  const server = await findRunningServer();
  const { accessToken } = await signIn(server, as, localPassword);
  const { steps, failure } = await liveADay({ ask: asApplication(server.url, accessToken), now: Date.now, wait });
  for (const { name, ms } of steps) console.log(`${String(ms).padStart(6)} ms  ${name}`);
  if (failure) throw new CommandFailed(`The day could not be lived: ${failure.message}`);
  return 0;
});
