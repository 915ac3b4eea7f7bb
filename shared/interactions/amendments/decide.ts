import {
  amendmentSystem,
  daysMore,
  daysToDecide,
  deciders,
  grounds,
  isAmendmentRequest,
  isDecided,
} from '../../access/amendment.ts';
import { isPsychotherapyNote } from '../../access/labels.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { RefusalCode } from '../../stable-codes.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { answerTo } from '../answers.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';
import { mayAccess, notFound, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { decideAmendmentInput } from './input.ts';
import { noticesOf } from './notices.ts';
import { readableIn } from './readable.ts';

const dayMs = 24 * 3600_000;

/** https://www.ecfr.gov/current/title-45/section-164.526#p-164.526(d)(1) */
const rights =
  'You may send a statement of disagreement. If you do not, you may ask that your request and this denial go with future disclosures of the record. You may complain to us, and to the Secretary of Health and Human Services.';

/**
 * `POST Task/{id}/$decide-amendment`: accepts a request for an amendment, denies it, or takes 30 more days, once, before the time is over. An acceptance names the record that amends, and whoever
 * may have received the disputed one is told in the same transaction; a denial names its ground.
 *
 * @throws RecordError `forbidden` to all but privacy officers and physicians of the organisation that keeps the record; `not-found`; `invalid`; `business-rule` for what is decided
 *   already, or not to be extended.
 * @see https://www.ecfr.gov/current/title-45/section-164.526
 */
export const decideAmendment = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  requireTypeAccess(context, 'u');
  if (!context.asking.caller.roles.some((role) => deciders.has(role)))
    throw new RecordError('forbidden', 'Privacy officers and physicians decide on amendments', {
      reason: 'forbidden-role',
    });
  const { decision, reason, ground, amendment } = readInput(context, decideAmendmentInput);
  const { store, audit, now } = context;
  const address = await locate(context, 'Task', id);
  if (!address) throw notFound(context);
  const name = `Task/${id}`;
  const current = await audit.traced(
    { interaction: 'operation', chart: address.chart, what: [name], query: `${name}/$decide-amendment` },
    () => store.read(address),
    (found) => {
      if (!found?.resource || !mayAccess(context, 'u', found)) throw notFound(context);
    },
  );
  if (!current || !isAmendmentRequest(current.resource))
    throw refused('not-an-amendment-request', 'This is no request for an amendment', 'id');
  const request = current.resource as unknown as fhir4.Task;
  if (isDecided(request) || request.status === 'cancelled' || request.status === 'entered-in-error')
    throw refused('amendment-decided', 'This request is decided or withdrawn', 'Task.status');
  const note = (text: string): fhir4.Annotation[] => [
    ...(request.note ?? []),
    { text, time: new Date(now).toISOString() },
  ];
  switch (decision) {
    case 'extend':
      return decided(context, current, { ...extended(request, now), note: note(reason) });
    case 'deny': {
      if (ground === undefined || !Object.hasOwn(grounds, ground))
        throw invalid('ground', `A denial has one of these grounds: ${Object.keys(grounds).join(', ')}`);
      return decided(context, current, {
        ...request,
        status: 'rejected',
        statusReason: {
          coding: [{ system: amendmentSystem, code: ground, display: grounds[ground] ?? '' }],
          text: reason,
        },
        note: note(rights),
      });
    }
    case 'accept': {
      if (!amendment) throw invalid('amendment', 'An acceptance names the record that amends the disputed one');
      const by = await amending(context, current.chart, amendment);
      const accepted: fhir4.Task = {
        ...request,
        status: 'completed',
        statusReason: { text: reason },
        output: [
          {
            type: { coding: [{ system: amendmentSystem, code: 'amended-by', display: 'Amended by' }] },
            valueReference: { reference: `${by.type}/${by.id}` },
          },
        ],
      };
      return decided(context, current, accepted, await noticesOf(context, current, accepted));
    }
  }
  throw invalid('decision', 'The decision is accept, deny or extend');
};

/**
 * The record that amends: one of the own organisation. A privacy officer, who may not read it, still names it. What is for its originators alone is none, for the patient sees the name.
 */
const amending = (context: RequestContext, chart: string, amendment: fhir4.Reference): Promise<StoredRecord> =>
  readableIn(
    context,
    chart,
    amendment,
    'amendment',
    ({ custodian, originators, labels }) =>
      custodian === context.asking.caller.organization && !originators && !labels.some(isPsychotherapyNote),
  );

const extended = (request: fhir4.Task, now: number): fhir4.Task => {
  const { start = '', end = '' } = request.restriction?.period ?? {};
  const first = Date.parse(start) + daysToDecide * dayMs;
  if (!(Date.parse(end) <= first))
    throw refused('amendment-extended', 'The time to decide is extended once', 'Task.restriction');
  if (now > first) throw refused('amendment-late', 'The time to decide is over', 'Task.restriction');
  const later = new Date(first + daysMore * dayMs).toISOString();
  return { ...request, restriction: { ...request.restriction, period: { start, end: later } } };
};

const decided = async (
  context: RequestContext,
  current: StoredRecord,
  next: fhir4.Task,
  notices: readonly PlannedWrite[] = [],
): Promise<Answer> => {
  // The rule of how a Task may be written is for writes by hand: this is the decision itself.
  const { requireChange: _byHand, ...recordType } = context.recordType;
  const resource = next as unknown as Resource;
  const plan = await planUpdate({ ...context, recordType }, { resource, warnings: [] }, current);
  // What it refers to was looked at: the requester and the record may be such as the decider may not read.
  const kept = { ...plan, checks: [] };
  await save(context, [kept, ...notices]);
  return answerTo(context, kept);
};

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });

const refused = (reason: RefusalCode<'business-rule'>, message: string, expression: string) =>
  new RecordError('business-rule', message, { reason, expression });
