import type { StoredRecord } from '../../store/rows.ts';

/**
 * The same readings, each record in the first of them alone. A chart is read in several calls, and a record whose clinical date changes
 * meanwhile stands first where it was and then where it belongs: nobody should find it twice on a page, or counted twice.
 */
export async function* eachOnce<T extends { readonly record: StoredRecord | undefined }>(
  readings: AsyncIterable<T>,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  for await (const reading of readings) {
    const { record } = reading;
    const name = record && `${record.type}/${record.id}`;
    if (name !== undefined && seen.has(name)) yield { ...reading, record: undefined };
    else yield reading;
    if (name !== undefined) seen.add(name);
  }
}
