import { RecordError } from '../errors.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { IdCodec } from '../store/ids.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answerTo } from './answers.ts';
import { type ConditionalMatch, conditionalMatch, conditionOf, guardsFor, inQuery } from './conditional-match.ts';
import type { Answer, Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { type Parsed, parseBody } from './parse-body.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate, planUpdate } from './plan-write.ts';
import { decisionOn, notFound, refusedWrite, requireTypeAccess } from './require-access.ts';
import { save } from './save.ts';
import { lastSaid } from './version-of.ts';

/**
 * FHIR update and update-as-create, `PUT /{type}/{id}`: one read of what the decision needs, one transaction.
 * https://hl7.org/fhir/R4/http.html#update
 */
export const updateRecord: Interaction = (context, { id }) =>
  lookAgain(async () => {
    const plan = await planPut(context, id);
    await save(context, [plan]);
    return answerTo(context, plan);
  });

/**
 * FHIR conditional update, `PUT /{type}?{condition}`: of the one record that meets the condition; where none does, it is created.
 * https://hl7.org/fhir/R4/http.html#cond-update
 */
export const updateByCondition: Interaction = (context) => putByCondition(context, async () => context);

/** @param sentFor - the request as it is meant for the record that meets its condition. */
export const putByCondition = async (
  context: RequestContext,
  sentFor: (match: StoredRecord | undefined) => Promise<RequestContext>,
): Promise<Answer> => {
  await requireMayPut(context);
  parseBody(context.recordType, context.request.body);
  return lookAgain(async () => {
    const found = await conditionalMatch(context, conditionOf(context.request), inQuery);
    const plan = await planPutByCondition(await sentFor(found.matches[0]), found);
    await save(context, [plan]);
    return answerTo(context, plan);
  });
};

/** Requires that records of the type may be put. Support staff who send back what they were shown are told that it is a part, and not that it is not for them. */
const requireMayPut = async (context: RequestContext): Promise<void> => {
  if (context.asking.delegation) (await import('./for-support.lazy.ts')).requireNoPart(context);
  requireTypeAccess(context, 'u');
};

/**
 * Plans a PUT: the next version, or the first under an id that the client chose.
 *
 * @param read - the current version, if it was read already; null if there was none.
 * @throws RecordError whatever rule stands against it.
 */
export const planPut = async (
  context: RequestContext,
  id: string,
  read?: StoredRecord | null,
): Promise<PlannedWrite> => {
  await requireMayPut(context);
  const { recordType, request, store } = context;
  const parsed = parseBody(recordType, request.body);
  const { resource } = parsed;
  if (resource.id !== id) throw otherId(recordType, 'in the URL');
  const address = await locate(context, recordType.name, id);
  // What decides whether the new time can be had is read beside the record, not after it.
  const [current, calendars] = await Promise.all([
    read === undefined ? address && store.read(address) : read,
    read || !recordType.heldTime
      ? undefined
      : import('./calendar-changes.lazy.ts').then(({ bookingAhead }) => bookingAhead(context, resource)),
  ]);
  // As for one that is hidden; that an id which a client chose is taken is no secret.
  if (!current && address && IdCodec.hasForm(id)) await context.sharing.lookUp([address]);
  if (!current) return { ...(await planFirst(context, parsed, id)), calendars };
  await requireWritable(context, current, 'u');
  requireVersion(context, current);
  return { ...(await planUpdate(context, parsed, current)), calendars };
};

/**
 * Plans a conditional PUT.
 *
 * @param found - what meets its condition.
 * @param at - where a transaction has placed what it creates, and what it has read under the id in the body.
 * @throws RecordError `invalid` if the body has another id than the record; `conflict` if the record with the id in the body does not meet
 *   the condition; whatever rule stands against it.
 */
export const planPutByCondition = async (
  context: RequestContext,
  found: ConditionalMatch,
  at: { readonly place?: NewPlace | undefined; readonly read?: StoredRecord | null } = {},
): Promise<PlannedWrite> => {
  requireTypeAccess(context, 'u');
  const { recordType, request } = context;
  const parsed = parseBody(recordType, request.body);
  const { resource } = parsed;
  const [match] = found.matches;
  if (match) {
    if (resource.id !== undefined && resource.id !== match.id)
      throw otherId(recordType, 'of the record that meets the condition');
    await requireWritable(context, match, 'u');
    requireVersion(context, match);
    return planUpdate(context, parsed, match);
  }
  if (resource.id === undefined) {
    requireNoVersion(request);
    requireTypeAccess(context, 'c');
    const place = at.place ?? (await newPlace(context, resource));
    return planCreate(context, parsed, place, guardsFor(found, place.id));
  }
  const plan = await planPut(context, resource.id, at.read);
  if (plan.previous?.resource) {
    throw new RecordError('conflict', 'The record with this id does not meet the condition', {
      reason: 'condition-not-met',
      expression: `${recordType.name}.id`,
    });
  }
  return { ...plan, guards: guardsFor(found, resource.id) };
};

/** The refusal of a body that is another record. */
export const otherId = ({ name }: RecordType, where: string) =>
  new RecordError('invalid', `The id in the body must be the id ${where}`, { expression: `${name}.id` });

/** What is created replaces no version. */
const requireNoVersion = ({ ifMatch }: FhirRequest): void => {
  if (ifMatch === undefined) return;
  throw new RecordError('version-conflict', 'There is no version to replace', { expression: 'If-Match' });
};

/** Update as create, under an id that the client chose. https://hl7.org/fhir/R4/http.html#upsert */
const planFirst = async (context: RequestContext, parsed: Parsed, id: string): Promise<PlannedWrite> => {
  // An id of ours without a record answers as one whose record the caller may not know of, whatever version is asked for.
  if (IdCodec.hasForm(id)) throw notFound(context);
  requireNoVersion(context.request);
  requireTypeAccess(context, 'c');
  // Where a transaction placed it; never where a locator says, which may be left over from one that came to nothing.
  const address = context.known.get(`${context.recordType.name}/${id}`);
  return planCreate(context, parsed, address ? { address, id } : await newPlace(context, parsed.resource, id));
};

/**
 * Requires that the caller may change a record.
 *
 * @throws RecordError `not-found` if the caller may not even know of it; `forbidden` if it may be read but not written; `conflict`
 *   if the id was chosen by a client and belongs to a record that is hidden, which it cannot be from who chooses its id too.
 */
export const requireWritable = async (
  context: RequestContext,
  current: StoredRecord,
  action: 'u' | 'd',
): Promise<void> => {
  const last = await lastSaid(context, current);
  const decision = last && decisionOn(context, action, last);
  if (decision?.permit) return;
  await context.sharing.lookUp([current]); // to tell whether it may be read
  const refusal = refusedWrite(context, last, decision);
  if (refusal.kind === 'not-found' && action === 'u' && !context.store.ids.decode(current.id)) {
    throw new RecordError('conflict', 'This id is taken', { reason: 'id-taken' });
  }
  throw refusal;
};

/**
 * Requires that If-Match, if given, names the current version. https://hl7.org/fhir/R4/http.html#concurrency
 *
 * @throws RecordError `version-conflict`.
 */
export const requireVersion = ({ request }: RequestContext, current: StoredRecord): void => {
  if (typeof request.ifMatch === 'number' && request.ifMatch !== current.version) {
    throw new RecordError('version-conflict', `The current version is ${current.version}`, { expression: 'If-Match' });
  }
};
