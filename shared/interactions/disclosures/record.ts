import type { Role } from '../../access/caller.ts';
import { isScoped } from '../../access/rules/scope.ts';
import { auditEvent } from '../../audit/audit-event.ts';
import { loggedAccess } from '../../audit/audit-log.ts';
import { entryOf } from '../../audit/audit-row.ts';
import type { Access } from '../../audit/audit-trail.ts';
import { disclosureRow, type OutsideDisclosure, type Suspension, suspensionRow } from '../../audit/disclosure-rows.ts';
import { RecordError } from '../../errors.ts';
import type { Again } from '../../http/routes.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { Row } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { notFound } from '../require-access.ts';
import { tryOnce } from '../try-once.ts';

export const recordDisclosureInput = {
  recipient: { type: 'string', min: 1 },
  address: { type: 'string' },
  date: { type: 'dateTime', min: 1 },
  description: { type: 'string', min: 1 },
  purpose: { type: 'string', min: 1 },
} as const;

export const suspendDisclosuresInput = {
  recipient: { type: 'string' },
  organization: { type: 'id' },
  statement: { type: 'string', min: 1 },
  until: { type: 'dateTime' },
  oral: { type: 'boolean' },
} as const;

/** Letters of a text: a row of the log is read with many others. */
const longestText = 2_000;
/** https://www.ecfr.gov/current/title-45/section-164.528#p-164.528(a)(2)(ii) */
const longestOralMs = 30 * 24 * 3600_000;

/** Who records disclosures, for the organisation that keeps the chart. */
const recorders: ReadonlySet<Role> = new Set(['privacy', 'physician', 'frontdesk']);
const officers: ReadonlySet<Role> = new Set(['privacy']);

/**
 * `POST Patient/{id}/$record-disclosure`: what was disclosed of a chart other than through Concord: on paper, under a subpoena, to a public health authority. It
 * becomes an entry of the chart's log, which nobody changes or removes.
 *
 * @returns the entry, as AuditEvent.
 * @throws RecordError `forbidden` by role or scope; `not-found`; `invalid`.
 * @see https://www.ecfr.gov/current/title-45/section-164.528#p-164.528(b)
 */
export const recordDisclosure = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  requireRole(context, recorders);
  const { recipient, address, date, description, purpose } = readInput(context, recordDisclosureInput);
  requireShort({ recipient, address, description, purpose });
  const day = dateInterval(date)?.start;
  if (day === undefined || day > context.now) throw invalid('date', 'A disclosure is recorded once it has been made');
  const patient = await requireKept(context, id);
  const disclosure: OutsideDisclosure = {
    recipient,
    ...(address === undefined ? {} : { address }),
    date,
    description,
    purpose,
  };
  const filed = (log: string): Row => disclosureRow(patient.chart, context.store.ids.newPlace(day), log);
  return writeEntry(context, patient, { query: '$record-disclosure', records: { disclosure } }, filed);
};

/**
 * `POST Patient/{id}/$suspend-disclosures`: for a time, the patient is not told of what was disclosed to a health oversight agency or a law enforcement official, since
 * that would impede their work. Given again for the same recipient, what is said last holds, so a written statement follows an oral one, and a time in
 * the past ends it.
 *
 * @returns the entry, as AuditEvent.
 * @throws RecordError `forbidden` by role or scope; `not-found`; `invalid` without a recipient, for an organisation that there never was, without an end to a written
 *   statement, and for an oral one of more than 30 days.
 * @see https://www.ecfr.gov/current/title-45/section-164.528#p-164.528(a)(2)
 */
export const suspendDisclosures = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  requireRole(context, officers);
  const { now, store } = context;
  const { recipient, organization, statement, until, oral = false } = readInput(context, suspendDisclosuresInput);
  requireShort({ recipient, statement });
  if (recipient === undefined && organization === undefined)
    throw invalid('recipient', 'Name the recipient as its disclosures are recorded, or its organisation');
  const end = until === undefined ? (oral ? now + longestOralMs : undefined) : dateInterval(until)?.start;
  if (end === undefined) throw invalid('until', 'A written statement says for how long');
  if (oral && end > now + longestOralMs) throw invalid('until', 'An oral statement holds for 30 days at most');
  const patient = await requireKept(context, id);
  if (organization === patient.custodian)
    throw invalid('organization', 'What the own staff did is no disclosure to somebody else');
  if (organization !== undefined) await requireKnown(context, organization);
  const suspension: Suspension = {
    ...(recipient === undefined ? {} : { recipient }),
    ...(organization === undefined ? {} : { organization }),
    until: end,
    statement,
    ...(oral ? { oral } : {}),
  };
  const filed = (): Row => suspensionRow(patient.chart, store.ids.newPlace(now), suspension);
  return writeEntry(context, patient, { query: '$suspend-disclosures', records: { suspension } }, filed);
};

/** The entry and what leads to it, in one transaction. */
const writeEntry = async (
  context: RequestContext,
  { chart, id }: StoredRecord,
  { query, records }: Required<Pick<Access, 'records'>> & { readonly query: string },
  filed: (log: string) => Row,
): Promise<Answer> => {
  const { audit, request, store } = context;
  const patient = `Patient/${id}`;
  const row = audit.row({ interaction: 'operation', chart, what: [patient], query: `${patient}/${query}`, records });
  const isNew = 'attribute_not_exists(pk)';
  const entry = store.ids.idAt(chart, row.sk);
  const told = { statusCode: 200, headers: { Location: `${request.baseUrl}/AuditEvent/${entry}` } };
  const refused = await tryOnce(
    context,
    [row, filed(row.sk)].map((Item) => ({
      Put: { TableName: store.tableName, Item, ConditionExpression: isNew },
    })),
    told,
  );
  if (refused) throw new RecordError('throttled', 'The log is busy; try again', { headers: { 'Retry-After': '1' } });
  return { ...told, resource: auditEvent({ id: entry, entry: entryOf(row, store.ids), refused: false, patient }) };
};

/**
 * The answer of either that is sent again: the entry of then, to who may still make one.
 *
 * @throws RecordError `forbidden`, `not-found`.
 */
export const entryAgain: Again = async (context, { id }, kept) => {
  const { audit, request, store } = context;
  requireRole(context, request.path.at(-1) === '$suspend-disclosures' ? officers : recorders);
  const { chart } = await requireKept(context, id);
  const patient = `Patient/${id}`;
  const entry = kept.headers?.['Location']?.split('/').at(-1) ?? '';
  const access = {
    interaction: 'operation',
    chart,
    what: [patient],
    query: `${patient}/${request.path.at(-1)}`,
  } as const;
  const logged = await audit.traced(
    access,
    () => loggedAccess(store, entry),
    () => {},
  );
  if (!logged) throw notFound(context);
  return { ...kept, resource: auditEvent({ ...logged, patient }) };
};

/** @throws RecordError `forbidden`. */
const requireRole = ({ asking: { caller } }: RequestContext, roles: ReadonlySet<Role>): void => {
  if (!isScoped(caller, 'u', 'Patient'))
    throw new RecordError('forbidden', 'No scope of the access token covers this for Patient', {
      reason: 'forbidden-scope',
    });
  if (!caller.roles.some((role) => roles.has(role)))
    throw new RecordError('forbidden', 'Your role does not allow this for Patient', { reason: 'forbidden-role' });
};

/** The patient, if the caller's organisation keeps the chart. @throws RecordError `not-found`. */
const requireKept = async (context: RequestContext, id: string): Promise<StoredRecord> => {
  const address = await locate(context, 'Patient', id);
  const patient = address && (await context.store.read(address));
  if (!patient || patient.custodian !== context.asking.caller.organization) throw notFound(context);
  return patient;
};

/** One that was deleted counts: what it read before is still told. @throws RecordError `invalid`. */
const requireKnown = async (context: RequestContext, organization: string): Promise<void> => {
  const address = await locate(context, 'Organization', organization);
  if (!address || !(await context.store.read(address)))
    throw invalid('organization', 'There is no such organisation, of which nothing would be kept back');
};

const requireShort = (texts: Readonly<Record<string, string | undefined>>): void => {
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined && text.length > longestText)
      throw invalid(name, `The text has at most ${longestText} letters`);
  }
};

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });
