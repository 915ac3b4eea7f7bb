import { eventIdOf } from '../changes/event-id.ts';
import type { Readable, Reading } from '../changes/readable-now.ts';
import { historyEntry, versionEntry } from '../interactions/history-bundle.ts';
import { View } from '../interactions/view.ts';
import { isDirectory, subjectOf } from '../record-types/subjects.ts';
import { network } from '../store/keys.ts';
import type { PayloadContent } from '../store/subscriptions/settings.ts';

/** What is told of events, and to which organisation. */
export interface Telling {
  readonly organization: string;
  readonly content: PayloadContent;
  /** Names of the network's substance-use programmes. */
  readonly programmes: ReadonlySet<string>;
}

/** What each event has in a notification, by how much is to be told: nothing, how it came about, or what it says as well. */
export const entriesFor = async (
  { request, store, ...reading }: Reading,
  { content, organization, programmes }: Telling,
  told: readonly Readable[],
): Promise<(found: Readable) => fhir4.BundleEntry | undefined> => {
  if (content === 'empty') return () => undefined;
  const { asking, sharing } = reading.also ?? reading;
  const view = new View(asking, store, sharing, programmes);
  if (content === 'full-resource') await view.prepare(told.map(({ record }) => record));
  return ({ record }) => {
    const recipient = isDirectory(record.type) ? network : organization;
    const { type: recordType, id: recordId, version } = record;
    const entry =
      content === 'full-resource'
        ? historyEntry({ request, store, view }, record)
        : versionEntry({ request, store }, record);
    return { id: eventIdOf({ recordType, recordId, version }, recipient), ...entry };
  };
};

/** For the logs: what is told of each chart. What everybody may read leaves no trace. */
export const toldByChart = (
  told: readonly Readable[],
): { readonly chart: string; readonly what: readonly string[] }[] => {
  const whats = new Map<string, string[]>();
  for (const { record, charts } of told) {
    if (isDirectory(record.type) || subjectOf(record.type) === 'knowledge') continue;
    for (const chart of charts) {
      const what = whats.get(chart) ?? [];
      what.push(`${record.type}/${record.id}/_history/${record.version}`);
      whats.set(chart, what);
    }
  }
  return [...whats].map(([chart, what]) => ({ chart, what }));
};
