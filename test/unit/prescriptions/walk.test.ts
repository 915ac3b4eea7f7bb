import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../../shared/errors.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import {
  keptOfOrder,
  requireOrderChange,
  signedOrder,
  signedPart,
  withUnsignedFlag,
} from '../../../shared/prescriptions/orders.ts';
import { renewalOf, renewedOrder, requireRenewable } from '../../../shared/prescriptions/renewals.ts';
import { takenMark } from '../../../shared/prescriptions/taken-down.ts';
import { signatureOf, withMarks } from '../../../shared/signing/signature.ts';

// An order goes at random through all that can be done with it, beside a model that knows the rules in words of its own.

type Status = fhir4.MedicationRequest['status'];
const statuses: Status[] = [
  'draft',
  'active',
  'on-hold',
  'completed',
  'stopped',
  'cancelled',
  'unknown',
  'entered-in-error',
];

/** By hand; behind ! with a reason. */
const table: Readonly<Record<string, string>> = {
  draft: 'cancelled entered-in-error',
  active: '!on-hold completed !stopped !cancelled entered-in-error',
  'on-hold': 'active completed !stopped !cancelled entered-in-error',
  completed: 'entered-in-error',
  stopped: 'entered-in-error',
  cancelled: 'entered-in-error',
  unknown: 'on-hold completed stopped cancelled entered-in-error',
  'entered-in-error': '',
};
const goesOn = ['active', 'on-hold'];
const now = Date.UTC(2026, 0, 1);

interface Model {
  status: Status;
  signed: boolean;
  taken: boolean;
  dose: string;
  reason: string | undefined;
  irregular: boolean;
}

interface Step {
  readonly does: 'put' | 'sign' | 'renew';
  readonly role: 'physician' | 'system';
  readonly status: Status;
  readonly reason: 'none' | 'same' | 'new';
  readonly doses: boolean;
  readonly forges: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom('put', 'put', 'put', 'sign', 'renew'),
  role: fc.constantFrom('physician', 'physician', 'system'),
  status: fc.constantFrom(...statuses),
  reason: fc.constantFrom('none', 'same', 'new'),
  doses: fc.constantFrom(true, false, false, false),
  forges: fc.boolean(),
});

const beginning = fc.record({ status: fc.constantFrom(...statuses), taken: fc.boolean() });

const mark = takenMark({ recorder: 'Practitioner/n', prescriber: 'Practitioner/p', given: 'verbal', due: now, now });
const forged = signatureOf({ resourceType: 'MedicationRequest' }, { signer: 'Practitioner/x', at: now, version: 1 });

const first = (status: Status, taken: boolean): Resource => {
  const order = {
    resourceType: 'MedicationRequest',
    id: '1',
    status,
    intent: 'order',
    dosageInstruction: [{ text: '0' }],
  } as Resource;
  return withUnsignedFlag(taken ? withMarks(order, [mark]) : order);
};

const accepts = (act: () => void): boolean => {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof RecordError) return false;
    throw error;
  }
};

/** Whether a change by hand is taken, and whether it is out of order. */
const judged = (model: Model, { role, status, doses }: Step, reason: string | undefined): [boolean, boolean] => {
  const isNewReason = reason !== undefined && reason !== model.reason;
  const moves = (table[model.status] ?? '').split(' ');
  const follows = status === model.status || moves.includes(status) || (moves.includes(`!${status}`) && isNewReason);
  const waits = model.taken && !model.signed && goesOn.includes(model.status);
  if ((model.signed || waits) && doses) return [false, false];
  if (role === 'system') return [true, !follows];
  const denies = waits && status === 'entered-in-error' && model.status !== status;
  return [follows && !(denies && !isNewReason), false];
};

const tagsOf = ({ meta }: Resource): string[] => (meta?.tag ?? []).map(({ code = '' }) => code).sort();

describe('an order', () => {
  it('goes through its states as the table has it, whatever is asked of it in whatever order', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(beginning, fc.array(step, { maxLength: 25 }), (begun, steps) => {
        const taken = begun.taken && goesOn.includes(begun.status);
        let order = first(begun.status, taken);
        const model: Model = {
          status: begun.status,
          signed: false,
          taken,
          dose: '0',
          reason: undefined,
          irregular: false,
        };
        for (const [at, each] of steps.entries()) {
          if (each.does === 'sign') {
            const may = ['draft', ...goesOn].includes(model.status) && !model.signed;
            const did = !model.signed && accepts(() => signedOrder(order, 'Practitioner/p', now));
            expect(did).toBe(may);
            if (did) {
              const content = signedOrder(order, 'Practitioner/p', now);
              const signature = signatureOf(signedPart(content), {
                signer: 'Practitioner/p',
                at: now,
                version: at + 2,
              });
              order = withUnsignedFlag(withMarks(content, [signature]));
              Object.assign(model, { signed: true, status: model.status === 'draft' ? 'active' : model.status });
            }
          } else if (each.does === 'renew') {
            const may = model.signed && ['active', 'completed'].includes(model.status);
            expect(accepts(() => requireRenewable(order))).toBe(may);
            if (may) {
              const renewed = { as: 'MedicationRequest/2', by: 'Practitioner/p', changed: each.doses, now };
              const again = renewalOf(order);
              expect([again['dosageInstruction'], again['status'], again.meta]).toEqual([
                [{ text: model.dose }],
                undefined,
                undefined,
              ]);
              order = withUnsignedFlag(renewedOrder(order, renewed));
              model.reason = (order['statusReason'] as fhir4.CodeableConcept).text;
              if (model.status === 'active') model.status = each.doses ? 'stopped' : 'completed';
            }
          } else {
            const reason = { none: undefined, same: model.reason, new: `Reason ${at}` }[each.reason];
            const dose = each.doses ? `${at + 1}` : model.dose;
            const { statusReason: _, ...rest } = order;
            const sent = {
              ...rest,
              status: each.status,
              ...(reason === undefined ? {} : { statusReason: { text: reason } }),
              dosageInstruction: [{ text: dose }],
            } as Resource;
            const next = each.forges ? withMarks({ ...sent, meta: {} }, [forged]) : sent;
            const [may, irregular] = judged(model, each, reason);
            expect(accepts(() => requireOrderChange(order, next, { roles: [each.role] }))).toBe(may);
            if (may) {
              order = keptOfOrder(order, next);
              Object.assign(model, { status: each.status, reason, dose, irregular: model.irregular || irregular });
            }
          }
          const waits = goesOn.includes(model.status) && !model.signed;
          met.add(`${model.status} ${model.signed}`);
          expect(order['status']).toBe(model.status);
          expect(tagsOf(order)).toEqual([
            ...(model.irregular ? ['irregular-move'] : []),
            ...(waits ? ['unsigned'] : []),
          ]);
          const urls = (order.meta?.extension ?? []).map(({ url }) => url.split('/').at(-1));
          expect(urls.includes('order-taken')).toBe(model.taken);
          expect(urls.filter((url) => url === 'signature')).toHaveLength(model.signed ? 1 : 0);
        }
      }),
      { numRuns: 400, seed: 8 },
    );

    const never = ['draft true'];
    const all = statuses.flatMap((status) => [`${status} true`, `${status} false`]);
    expect(all.filter((state) => !met.has(state) && !never.includes(state))).toEqual([]);
  });
});
