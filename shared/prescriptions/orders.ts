import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { suspendedUrl } from '../people/death.ts';
import { contentHash, keepMarks, markOf, signaturesOf, takenUrl } from '../signing/signature.ts';
import type { RecordFlag } from '../work/flags.ts';
import { isNewReason, requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { orderMoves } from './order-moves.ts';

// A prescription is somebody's order once it is signed. What it says of the medicine stays as it is from then on; how it goes with it does not:
// its state, who dispenses, who pays.

/** Such a record says what somebody proposes or plans, and orders nothing. https://hl7.org/fhir/R4/valueset-medicationrequest-intent.html */
const noOrders: ReadonlySet<string> = new Set(['proposal', 'plan', 'option']);

/** States in which an order is in force, or will be again. */
const inForce: ReadonlySet<string> = new Set(['active', 'on-hold']);

/** Elements that an order's signature does not cover. */
const ofItsCourse: ReadonlySet<string> = new Set([
  'status',
  'statusReason',
  'insurance',
  'detectedIssue',
  'eventHistory',
  'identifier',
  'text',
]);

/** What an order's signature covers: all that it says of the medicine and how it is given, with its id. */
export const signedPart = (order: Resource): Resource => {
  const said = Object.entries(order).flatMap(([name, value]): [string, unknown][] => {
    if (ofItsCourse.has(name.replace(/^_/, ''))) return [];
    if (name === 'extension') {
      const kept = (value as fhir4.Extension[]).filter(({ url }) => url !== suspendedUrl);
      return kept.length > 0 ? [[name, kept]] : [];
    }
    if (name !== 'dispenseRequest') return [[name, value]];
    const { performer: _pharmacy, ...dispensing } = value as fhir4.MedicationRequestDispenseRequest;
    return Object.keys(dispensing).length > 0 ? [[name, dispensing]] : [];
  });
  return withSpellingOf(Object.fromEntries(said) as Resource, order);
};

/** Whether a record orders a medicine, by its `intent`. */
export const isOrder = ({ intent }: Resource): boolean => !noOrders.has(intent as string);

/** A version says itself that it is in force and nobody has signed it here. */
export const unsignedOrder: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/order',
  code: 'unsigned',
  display: 'In force elsewhere, and not signed here',
};

const isUnsigned = (order: Resource): boolean =>
  isOrder(order) && inForce.has(order['status'] as string) && signaturesOf(order).length === 0;

/** Whether an order was given by voice or under a protocol, taken down by somebody else, and is still to be signed by who prescribes. */
export const awaitsCosignature = (order: Resource): boolean =>
  isUnsigned(order) && markOf(order, takenUrl) !== undefined;

const isFlag = ({ system, code }: fhir4.Coding): boolean =>
  system === unsignedOrder.system && code === unsignedOrder.code;

/** The flag is the server's: nobody gives it and nobody takes it off but by signing. */
export const withUnsignedFlag = (order: Resource): Resource => {
  const { tag = [], ...meta } = order.meta ?? {};
  const isFlagged = tag.some(isFlag);
  if (isUnsigned(order) === isFlagged) return order;
  const tags = isFlagged ? tag.filter((each) => !isFlag(each)) : [...tag, unsignedOrder];
  const said = { ...meta, ...(tags.length > 0 ? { tag: tags } : {}) };
  const { meta: _, ...content } = order;
  return withSpellingOf((Object.keys(said).length > 0 ? { ...content, meta: said } : content) as Resource, order);
};

/**
 * What an order says once it is signed.
 *
 * @param signer - `Type/id`.
 * @param now - milliseconds since 1970.
 * @throws RecordError `business-rule` for what is no order, or no longer one.
 */
export const signedOrder = (order: Resource, signer: string, now: number): Resource => {
  const { status, requester, authoredOn } = order as unknown as fhir4.MedicationRequest;
  if (!isOrder(order)) throw notSignable('What is proposed or planned is not signed', 'intent');
  if (status !== 'draft' && !inForce.has(status)) throw notSignable(`What is ${status} is not signed`, 'status');
  return {
    ...order,
    status: status === 'draft' ? 'active' : status,
    requester: requester ?? { reference: signer },
    authoredOn: authoredOn ?? new Date(now).toISOString(),
  };
};

const notSignable = (message: string, element: string) =>
  new RecordError('business-rule', message, { reason: 'not-signable', expression: `MedicationRequest.${element}` });

/** What the server itself keeps in an order: its signatures, and what it says of itself. */
export const keptOfOrder = (before: Resource | undefined, next: Resource): Resource =>
  withUnsignedFlag(withMovesFlagged(orderMoves, before, keepMarks(before, next)));

/**
 * Requires that what becomes of an order may follow from what it was, and that what was signed stays as it is.
 *
 * @throws RecordError `business-rule`.
 */
export const requireOrderChange = (
  before: Resource | undefined,
  next: Resource | undefined,
  caller: Pick<Caller, 'roles'>,
): void => {
  if (!before) return;
  if (signaturesOf(before).length > 0 && !(next && isSamePart(before, next)))
    throw new RecordError(
      'business-rule',
      'What a signed order says of the medicine stays as it is. Stop it, or sign a new one with it as priorPrescription',
      { reason: 'signed', expression: 'MedicationRequest' },
    );
  if (awaitsCosignature(before) && !(next && isSamePart(before, next)))
    throw new RecordError(
      'business-rule',
      'This order stays as it was taken down, until it is signed or denied. What is ordered instead is an order with it as priorPrescription',
      { reason: 'taken-down', expression: 'MedicationRequest' },
    );
  const byHand = !caller.roles.includes('system');
  const wasInForce = before['status'] !== 'draft' && isOrder(before);
  if (byHand && next && !wasInForce && inForce.has(next['status'] as string) && isOrder(next))
    throw new RecordError('business-rule', 'An order comes into force by MedicationRequest/{id}/$sign', {
      reason: 'illegal-move',
      expression: 'MedicationRequest.status',
    });
  if (byHand && next?.['status'] === 'entered-in-error' && awaitsCosignature(before) && !isNewReason(before, next))
    throw new RecordError('business-rule', 'Who denies an order says why, in its statusReason', {
      reason: 'move-needs-reason',
      expression: 'MedicationRequest.status',
    });
  requireLegalMove(orderMoves, before, next, caller);
};

const isSamePart = (before: Resource, next: Resource): boolean => {
  const [was, is] = [before, next].map((version) =>
    contentHash(withSpellingOf({ ...signedPart(version), id: '' }, version)),
  );
  return was === is;
};

/** Whether a change brings an order into force, or changes one that is, which nobody has signed here: signing makes its own checks. */
export const isNewlyUnsigned = (before: Resource | undefined, next: Resource): boolean =>
  isUnsigned(next) && !(before && isUnsigned(before) && isSamePart(before, next));
