import { amendmentSystem, noticeCode } from '../../access/amendment.ts';
import { type AuditEntry, entryOf, type StoredAuditRow } from '../../audit/audit-row.ts';
import { type DisclosureRow, disclosureLayouts, withheldOf } from '../../audit/disclosure-rows.ts';
import type { Resource } from '../../fhir/resource.ts';
import { auditKey, disclosurePartition } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import type { RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';

/** Disclosures of a chart that are looked at, the newest first. */
const mostDisclosures = 2_000;
const readAtOnce = 500;

/**
 * Tells whoever may have received a disputed record that it was amended: a Task for each organisation that read it here, which that organisation keeps and is told of by an
 * event; and one for the own staff where disclosures were recorded,
 * which names no recipient, since others may read it. One that saw much of the chart, and perhaps this record,
 * is told without the record's name. Who is not to be told of as a recipient now is left out, since the patient sees these Tasks.
 *
 * @see https://www.ecfr.gov/current/title-45/section-164.526#p-164.526(c)(3)
 */
export const noticesOf = async (
  context: RequestContext,
  { chart, custodian }: StoredRecord,
  request: fhir4.Task,
): Promise<PlannedWrite[]> => {
  const disputed = request.focus?.reference ?? '';
  const { received, recorded } = await receiversOf(context, { chart, custodian }, [disputed]);
  const notices = [
    ...[...received].map(([organization, named]) =>
      named
        ? notice(
            request,
            organization,
            'This record, which your organisation has read, was amended. Read it again, and what amends it.',
            disputed,
          )
        : notice(
            request,
            organization,
            'A record of this patient that your organisation may have read was amended. Read again what you rely on.',
          ),
    ),
    ...(recorded
      ? [
          notice(
            request,
            custodian,
            'This record was amended. Tell those to whom it was disclosed otherwise than here: $disclosures of the patient lists them.',
            disputed,
          ),
        ]
      : []),
  ];
  return Promise.all(
    notices.map(async ({ owner, resource }) => {
      // Each organisation's own system: the Task is one of its own records, and nobody else's.
      const own = { ...context, asking: systemOf(context, owner) };
      const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
      return { ...plan, checks: [] };
    }),
  );
};

/** Who has seen records of a chart. */
export interface Receivers {
  /** Organisations; true for one that has read a record itself, false for one that perhaps saw it among others. */
  readonly received: ReadonlyMap<string, boolean>;
  /** Whether something of the chart was disclosed otherwise than here. */
  readonly recorded: boolean;
}

/**
 * Who may have received records of a chart, by the disclosures of the chart: without those that the patient is not to be told of now.
 *
 * @param names - of the records, `Type/id`.
 */
export const receiversOf = async (
  context: Omit<RequestContext, 'recordType'>,
  { chart, custodian }: Pick<StoredRecord, 'chart' | 'custodian'>,
  names: readonly string[],
): Promise<Receivers> => {
  const withheld = await withheldOf(context.store, chart, context.now);
  const received = new Map<string, boolean>();
  let recorded = false;
  for (const entry of await disclosuresOf(context, chart)) {
    if (withheld?.(entry)) continue;
    const { disclosure, organization } = entry;
    if (disclosure) recorded = true;
    else if (organization !== undefined && organization !== custodian) {
      const showed = names.map((name) => showedRecord(entry, name)).filter((each) => each !== undefined);
      if (showed.length > 0) received.set(organization, received.get(organization) === true || showed.includes(true));
    }
  }
  return { received, recorded };
};

/** True if the access was of the record, false if the record may have been among what it showed, undefined otherwise. */
const showedRecord = ({ what, interaction, query = '' }: AuditEntry, record: string): boolean | undefined => {
  if (what.some((name) => name === record || name.startsWith(`${record}/`))) return true;
  if (interaction === 'operation') return false;
  if (!/^(?:search|history)-(?:type|system)$/.test(interaction)) return undefined;
  // `Type?…`, `Type/$operation?…` or, of a compartment, `Type/id/Type?…`; values may be left out of it.
  const [path = ''] = query.split('?');
  const searched = path.split('/').findLast((part) => /^[A-Z][A-Za-z]+$/.test(part));
  const follows = /[?&]_(?:rev)?include\b/.test(query);
  return searched === undefined || follows || searched === record.slice(0, record.indexOf('/')) ? false : undefined;
};

const disclosuresOf = async ({ store }: Pick<RequestContext, 'store'>, chart: string): Promise<AuditEntry[]> => {
  const entries: AuditEntry[] = [];
  const range = { pk: disclosurePartition(chart), from: '0', to: 'w', newestFirst: true, limit: readAtOnce };
  let after: string | undefined;
  do {
    const { rows, next } = await rowsBetween(store, { ...range, after });
    const keys = rows.map((row) => auditKey(chart, disclosureLayouts.reader(row['layout'])(row as DisclosureRow)));
    entries.push(...(await store.getMany(keys)).map((row) => entryOf(row as StoredAuditRow, store.ids)));
    after = next;
  } while (after !== undefined && entries.length < mostDisclosures);
  return entries;
};

const notice = (
  request: fhir4.Task,
  owner: string,
  description: string,
  focus?: string,
): { readonly owner: string; readonly resource: Resource } => {
  const told: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: amendmentSystem, code: noticeCode, display: 'A record was amended' }] },
    description,
    ...(focus === undefined ? {} : { focus: { reference: focus } }),
    ...(request.for ? { for: request.for } : {}),
    ...(request.owner ? { requester: request.owner } : {}),
    owner: { reference: `Organization/${owner}` },
  };
  return { owner, resource: told as unknown as Resource };
};
