import { randomUUID } from 'node:crypto';
import { auditRow } from '../../../shared/audit/audit-row.ts';
import { logNameOf } from '../../../shared/audit/log-name.ts';
import { listPartition } from '../../../shared/store/index-rows.ts';
import { auditKey, network } from '../../../shared/store/keys.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';
import { rowsBetween } from '../../../shared/store/rows-between.ts';
import { writeRows } from '../../../shared/store/write-rows.ts';
import { defineVerb, needed, type Report, requireNoWords, type Surroundings } from '../admin/verb.ts';
import { openTable } from '../restore/open-table.ts';
import { exportAll } from './export-all.ts';

/** `export-all`: everything, to be taken elsewhere. */
export const exportAllVerb = defineVerb({
  name: 'export-all',
  summary:
    'Writes out all records with their histories, uploaded content and the access log; goes on where it broke off',
  synopsis: '--out FOLDER',
  explained: '--out FOLDER    an empty folder, or that of an export which broke off',
  effect: 'reads',
  options: { out: { type: 'string' } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    return { out: needed(values.out, 'out') };
  },
  run: async ({ out }, { place, operator, now, say }: Surroundings): Promise<Report> => {
    const from = await place();
    const store = await openTable(from, from.table.tableName);
    await noteExport(store, (await operator()).name, now);
    const { lines } = await exportAll({ store, folder: out, baseUrl: from.url, say });
    const kinds = Object.entries(lines).map(([kind, count]) => `${String(count).padStart(10)}  ${kind}`);
    return {
      text: [...kinds, `All of it was read again; SHA256SUMS and manifest.json are in ${out}`].join('\n'),
      data: { lines },
    };
  },
});

/** In the log of each organisation, before anything leaves. */
export const noteExport = async (store: RecordStore, operator: string, at: number): Promise<void> => {
  const request = randomUUID();
  let after: string | undefined;
  do {
    const pk = listPartition(network, 'Organization');
    const { rows, next } = await rowsBetween(store, { pk, from: '!', to: '~', after });
    const log = rows.map(({ sk: id }) =>
      auditRow(store.ids, auditKey(logNameOf(store, id), store.ids.newPlace(at)), {
        at,
        interaction: 'operation',
        operation: '$export-all',
        what: [`Organization/${id}`],
        subject: operator,
        name: operator,
        client: 'concord-admin',
        fhirUser: `Organization/${id}`,
        roles: [],
        organization: id,
        request,
      }),
    );
    await writeRows(store, log);
    after = next;
  } while (after !== undefined);
};
