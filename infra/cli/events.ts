/**
 * `npm run events`: prints the events of the running server as they come, one JSON object a line; `-- --all` begins with the kept ones, `-- --recipient <organisation>` leaves out what would not
 * reach that organisation's own bus.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod/mini';
import { type EventPattern, matchesPattern } from '../local/event-pattern.ts';
import { patternFor } from '../partners.ts';
import { CommandFailed, runCommand } from './command.ts';
import { findRunningServer } from './running-server.ts';

const pageSchema = z.object({
  events: z.array(z.object({ position: z.number(), event: z.unknown() })),
  last: z.number(),
});

/** Time that the server may keep a question open, in seconds. */
const waitSeconds = 20;
/** Pause before a server that went away is looked for again, in milliseconds. */
const lookAgainMs = 1_000;

const choices = () => {
  try {
    return parseArgs({
      options: { all: { type: 'boolean', default: false }, recipient: { type: 'string' } },
    }).values;
  } catch (error) {
    throw new CommandFailed(
      `${(error as Error).message}\nUsage: npm run events [-- [--all] [--recipient <organisation>]]`,
    );
  }
};

/** What the rule of a partner passes. */
const passedTo = (organization: string): ((event: unknown) => boolean) => {
  const pattern = patternFor({ organization }) as unknown as EventPattern;
  return (event) => matchesPattern(pattern, event);
};

const pageAfter = async (address: string, position: number | undefined, wait: number) => {
  const query = new URLSearchParams({
    wait: String(wait),
    ...(position === undefined ? {} : { after: String(position) }),
  });
  const response = await fetch(`${address}?${query.toString()}`);
  if (!response.ok) throw new CommandFailed(`The event log answers with status ${response.status}.`);
  return pageSchema.parse(await response.json());
};

runCommand(async () => {
  const { all, recipient } = choices();
  const isWanted = recipient === undefined ? () => true : passedTo(recipient);
  let position = all ? 0 : undefined;
  let server = await findRunningServer();
  // Without a position, the answer is only where the log ends now.
  position ??= (await pageAfter(server.events, undefined, 0)).last;
  console.error(`Following the events of ${server.url}; Ctrl-C ends.`);
  let lost = false;
  for (;;) {
    try {
      const { events, last } = await pageAfter(server.events, position, waitSeconds);
      for (const { event } of events) if (isWanted(event)) console.log(JSON.stringify(event));
      position = last;
    } catch (error) {
      if (error instanceof CommandFailed) throw error;
      if (!lost) console.error('The server is gone; waiting for it to come back.');
      lost = true;
      await delay(lookAgainMs);
      const found = await findRunningServer().catch(() => undefined);
      if (!found) continue;
      server = found;
      lost = false;
      console.error('It is back.');
    }
  }
});
