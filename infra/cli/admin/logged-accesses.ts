import type { AuditedAccess } from '../../../shared/audit/audit-event.ts';
import { chartLog, dayLog } from '../../../shared/audit/audit-log.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { CommandFailed } from '../command.ts';
import { type PoolOfStaff, StaffUsers } from './staff-users.ts';
import { daysIn, type Span } from './times.ts';

/** An access of the log, and the chart in whose log it is. */
export interface LoggedAccess extends Omit<AuditedAccess, 'patient'> {
  readonly chart: string;
}

/** Within a span, newest first. */
export async function* accessesOfChart(store: RecordStore, chart: string, span: Span): AsyncGenerator<LoggedAccess> {
  for await (const page of pages((after) => chartLog(store, chart, after)))
    for (const access of page) {
      if (access.entry.at < span.from) return;
      if (access.entry.at < span.to) yield { ...access, chart };
    }
}

/** What the people and applications of an organisation did within a span, newest first. Of the last seconds some may be missing, which are not filed yet. */
export async function* accessesOfOrganization(
  store: RecordStore,
  organization: string,
  span: Span,
): AsyncGenerator<LoggedAccess> {
  for (const day of daysIn(span))
    for await (const page of pages((after) => dayLog(store, organization, day, after)))
      for (const access of page)
        if (access.entry.at >= span.from && access.entry.at < span.to)
          yield { ...access, chart: store.ids.decode(access.id)?.chart ?? '' };
}

type Accesses = readonly Omit<AuditedAccess, 'patient'>[];

async function* pages(
  read: (after: string | undefined) => Promise<{ readonly accesses: Accesses; readonly next: string | undefined }>,
): AsyncGenerator<Accesses> {
  let after: string | undefined;
  do {
    const { accesses, next } = await read(after);
    yield accesses;
    after = next;
  } while (after !== undefined);
}

/** Whether somebody is meant by one of these: a user name, a pool's `sub` or a reference to the own record. */
export const isBy = ({ entry: { name, subject, fhirUser } }: LoggedAccess, names: readonly string[]): boolean =>
  [name, subject, fhirUser].some((each) => names.includes(each));

/**
 * All by which the access log may name somebody. A pool whose users sign in with their address calls them by their `sub`, and so does the log.
 *
 * @throws CommandFailed if the pool of staff cannot be asked.
 */
export const namesOf = async (place: PoolOfStaff, who: string): Promise<string[]> => {
  if (!who.includes('@')) return [who];
  const users = new StaffUsers(place);
  try {
    return [who, ...(await users.findAll(who)).map(({ subject }) => subject)];
  } finally {
    users.close();
  }
};

/**
 * A report on somebody whom the log does not know is no report on somebody who did nothing: a name that was mistyped must not look like a clean bill.
 *
 * @param accesses - how many the log has within the time, those that were refused as well.
 * @throws CommandFailed where there is none.
 */
export const requireSome = (accesses: number, organization: string): void => {
  if (accesses > 0) return;
  throw new CommandFailed(
    `The log of ${organization} has nothing by that name in this time. Look at names and times again: this is no proof that nothing was done`,
  );
};
