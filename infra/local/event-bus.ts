import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonService } from './aws-services.ts';
import { type PutEventsResultEntry, putEvents } from './put-events.ts';

/** An event as EventBridge hands it to a target. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** UTC, to the second. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** An event and its place in the log, counted from 1. */
export interface LoggedEvent {
  readonly position: number;
  readonly event: BusEvent;
}

export interface EventBus {
  readonly name: string;
  /** The part of EventBridge's API that is served. */
  readonly service: JsonService;
  /** Lets a reader on this machine follow the log: `GET /_events?after=<position>&wait=<seconds>`. */
  readonly documents: (url: URL) => unknown;
  /** Events behind a position, oldest first. */
  readonly after: (position: number) => readonly LoggedEvent[];
  /** Position of the newest event; 0 if there was none. */
  readonly last: number;
}

/** Events that are kept; a real bus keeps none, but a person who looks later wants to see what went by. */
const kept = 10_000;
/** Events in one answer to a follower. */
const pageSize = 1_000;
/** Longest time that a follower is kept waiting, in seconds. */
const longestWait = 25;

export const localAccount = '000000000000';

/** Opens the bus and its log in a file of one JSON object a line. */
export const openEventBus = (options: { name: string; region: string; file: string; now?: () => number }): EventBus => {
  const { name, region, file, now = Date.now } = options;
  mkdirSync(path.dirname(file), { recursive: true });
  let events = readLog(file).slice(-kept);
  let lines = rewrite(file, events);
  const arrivals = new EventEmitter().setMaxListeners(0);

  const bus = {
    name,
    get last() {
      return events.at(-1)?.position ?? 0;
    },
    after: (position: number) => events.slice(Math.max(0, events.length - (bus.last - position))),
    service: {
      target: 'AWSEvents',
      operations: {
        PutEvents: (input: Readonly<Record<string, unknown>>) => {
          const { accepted, results } = putEvents(input, name);
          const added = accepted.map(({ source, detailType, detail, resources, time }, index): LoggedEvent => {
            const id = randomUUID();
            return {
              position: bus.last + index + 1,
              event: {
                version: '0',
                id,
                'detail-type': detailType,
                source,
                account: localAccount,
                time: `${new Date(time ?? now()).toISOString().slice(0, 19)}Z`,
                region,
                resources,
                detail,
              },
            };
          });
          // Written before it is acknowledged: a publisher that was told "accepted" will not come back.
          if (added.length > 0) appendFileSync(file, added.map((logged) => `${JSON.stringify(logged)}\n`).join(''));
          lines += added.length;
          events.push(...added);
          if (lines > 2 * kept) {
            events = events.slice(-kept);
            lines = rewrite(file, events);
          }
          if (added.length > 0) arrivals.emit('arrival');
          const ids = added.map(({ event }) => event.id);
          const entries = results.map((result): PutEventsResultEntry => result ?? { EventId: ids.shift() ?? '' });
          return { FailedEntryCount: results.filter((result) => result !== undefined).length, Entries: entries };
        },
      },
    },
    documents: async ({ pathname, searchParams }: URL) => {
      if (pathname !== '/_events') return undefined;
      const after = searchParams.has('after') ? Number(searchParams.get('after')) : bus.last;
      const wait = Math.min(Number(searchParams.get('wait') ?? 0), longestWait);
      if (bus.last <= after && wait > 0) {
        await once(arrivals, 'arrival', { signal: AbortSignal.timeout(wait * 1_000) }).catch(() => undefined);
      }
      const found = bus.after(after).slice(0, pageSize);
      return { events: found, last: found.at(-1)?.position ?? Math.min(after, bus.last) };
    },
  };
  return bus;
};

const readLog = (file: string): LoggedEvent[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  // What stands behind the last line break was being written when the process was killed, and was never acknowledged.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedEvent);
};

/** Writes the log anew. Returns its number of lines. */
const rewrite = (file: string, events: readonly LoggedEvent[]): number => {
  const written = `${file}.new`;
  writeFileSync(written, events.map((logged) => `${JSON.stringify(logged)}\n`).join(''), { mode: 0o600 });
  renameSync(written, file);
  return events.length;
};
