import { inParallel } from '../../../shared/store/in-parallel.ts';
import { CommandFailed } from '../command.ts';
import type { PackedChart } from './pack-content.ts';

/** Reads through the API, by the rights of whoever makes the pack: what they may not see is not in it, and each chart's log tells of it. */
export type ReadFhir = (path: string) => Promise<{ readonly status: number; readonly body: unknown }>;

/** What was found for a pack. */
export interface Gathered {
  /** In the order of their first appointment; who has none comes behind. */
  readonly charts: readonly PackedChart[];
  /** Charts that the reader may not see, or that are too large. */
  readonly leftOut: number;
}

const atOnce = 4;
/** Of visits of who is in the house, be it in the waiting room. https://hl7.org/fhir/R4/valueset-encounter-status.html */
const inHouseStatuses = 'arrived,triaged,in-progress,onleave';

/**
 * Who comes on some days, who is in the house, and their summaries.
 *
 * @param days - such as `2026-11-28`, UTC.
 * @throws CommandFailed where a search is refused.
 */
export const gatherCharts = async (
  read: ReadFhir,
  { days, inHouse }: { readonly days: readonly string[]; readonly inHouse: boolean },
): Promise<Gathered> => {
  const times = new Map<string, string[]>();
  for (const day of days)
    for (const resource of await allOf(
      read,
      `Appointment?date=${day}&status=booked,arrived,checked-in,pending&_count=200`,
    )) {
      const { start = '', participant, description } = resource as fhir4.Appointment;
      for (const { actor } of participant)
        if (actor?.reference?.startsWith('Patient/'))
          times.set(actor.reference, [
            ...(times.get(actor.reference) ?? []),
            [start, description].filter(Boolean).join(' '),
          ]);
    }
  const coming = [...times].toSorted(([, a], [, b]) => ((a.toSorted()[0] ?? '') < (b.toSorted()[0] ?? '') ? -1 : 1));
  const visits = inHouse ? await allOf(read, `Encounter?status=${inHouseStatuses}&_count=200`) : [];
  const staying = visits.flatMap((visit) => (visit as fhir4.Encounter).subject?.reference ?? []);
  const patients = [...new Set([...coming.map(([patient]) => patient), ...staying])].filter((each) =>
    each.startsWith('Patient/'),
  );
  const found = await inParallel(atOnce, patients, async (patient): Promise<PackedChart | undefined> => {
    const { status, body } = await read(`${patient}/$summary`);
    if (status === 200) return { appointments: (times.get(patient) ?? []).toSorted(), summary: body as fhir4.Bundle };
    if (status === 401 || status === 429 || status >= 500)
      throw new CommandFailed(`The server answers ${status}: nothing was written`);
    return undefined;
  });
  const charts = found.filter((chart) => chart !== undefined);
  return { charts, leftOut: found.length - charts.length };
};

const allOf = async (read: ReadFhir, path: string): Promise<fhir4.Resource[]> => {
  const all: fhir4.Resource[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const { status, body } = await read(next);
    if (status !== 200) throw new CommandFailed(`A search for the charts of the pack is answered ${status}`);
    const { entry = [], link = [] } = body as fhir4.Bundle;
    for (const { resource, search } of entry) if (resource && search?.mode !== 'outcome') all.push(resource);
    next = link.find(({ relation }) => relation === 'next')?.url;
  }
  return all;
};
