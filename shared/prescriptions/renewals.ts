import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { suspendedUrl } from '../people/death.ts';
import { renewedUrl, signaturesOf, withMarks } from '../signing/signature.ts';
import { isOrder } from './orders.ts';
import { manners } from './taken-down.ts';

/** States in which an order is renewed, and what it is from then on: as it was, and as another one. Table in docs/prescriptions.md. */
export const renewable = {
  active: { asItWas: 'completed', changed: 'stopped' },
  completed: { asItWas: 'completed', changed: 'completed' },
} as const;

/** Elements of an order that a renewal says again: what is ordered, why and how; not when, by whom, or how it went. */
const saidAgain: ReadonlySet<string> = new Set([
  'resourceType',
  'contained',
  'intent',
  'category',
  'priority',
  'doNotPerform',
  'medicationCodeableConcept',
  'medicationReference',
  'subject',
  'performer',
  'performerType',
  'reasonCode',
  'reasonReference',
  'instantiatesCanonical',
  'instantiatesUri',
  'courseOfTherapyType',
  'insurance',
  'note',
  'dosageInstruction',
  'dispenseRequest',
  'substitution',
  'extension',
  'modifierExtension',
  'implicitRules',
  'language',
]);

/**
 * Requires that an order may be renewed: one that somebody has signed here, in a state of the table above.
 *
 * @throws RecordError `business-rule`.
 */
export const requireRenewable = (order: Resource): void => {
  const status = String(order['status']);
  if (!isOrder(order) || !Object.hasOwn(renewable, status))
    throw new RecordError('business-rule', `What is ${status} is not renewed: it is ordered anew`, {
      reason: 'not-renewable',
      expression: 'MedicationRequest.status',
    });
  if (signaturesOf(order).length > 0) return;
  throw new RecordError('business-rule', 'Nobody has signed this order here: sign it before it is renewed', {
    reason: 'order-unsigned',
    expression: 'MedicationRequest',
  });
};

/**
 * What is ordered once more, with the labels of the old order: who may not see that one sees no other of the same. A time in which it was to be dispensed is over with the old order, and so is how that
 * was given.
 */
export const renewalOf = (order: Resource): Resource => {
  const said = Object.entries(order).flatMap(([name, value]): [string, unknown][] => {
    if (!saidAgain.has(name.replace(/^_/, ''))) return [];
    if (name === 'category') return kept(name, (value as fhir4.CodeableConcept[]).filter(isNoManner));
    if (name === 'extension')
      return kept(
        name,
        (value as fhir4.Extension[]).filter(({ url }) => url !== suspendedUrl),
      );
    if (name !== 'dispenseRequest') return [[name, value]];
    const { validityPeriod: _over, ...dispensing } = value as fhir4.MedicationRequestDispenseRequest;
    return Object.keys(dispensing).length > 0 ? [[name, dispensing]] : [];
  });
  return withLabelsOf(order, withSpellingOf(withContainedReferred(Object.fromEntries(said) as Resource), order));
};

/** A record with the labels of an order, unless it has its own. */
export const withLabelsOf = ({ meta }: Resource, next: Resource): Resource =>
  (meta?.security ?? []).length === 0 || (next.meta?.security ?? []).length > 0
    ? next
    : withSpellingOf({ ...next, meta: { ...next.meta, security: meta?.security ?? [] } }, next);

/** Without what is contained and that nothing names any more, which FHIR allows of no record (dom-3). */
const withContainedReferred = ({ contained, ...said }: Resource): Resource => {
  const all = (contained ?? []) as fhir4.Resource[];
  const referred = new Set<unknown>();
  const follow = (from: unknown): void => {
    for (const [, id] of JSON.stringify(from).matchAll(/"#([A-Za-z0-9.-]+)"/g)) {
      if (referred.has(id)) continue;
      referred.add(id);
      follow(all.filter((each) => each.id === id));
    }
  };
  follow(said);
  const named = all.filter(({ id }) => referred.has(id));
  return (named.length > 0 ? { ...said, contained: named } : said) as Resource;
};

const kept = (name: string, items: readonly unknown[]): [string, unknown][] =>
  items.length > 0 ? [[name, items]] : [];

const isNoManner = ({ coding = [] }: fhir4.CodeableConcept): boolean =>
  !coding.some(({ system, code }) =>
    Object.values(manners).some((manner) => manner.system === system && manner.code === code),
  );

/** By what an order was renewed. */
interface Renewed {
  /** `MedicationRequest/id` of the new order, and `Type/id` of who signed it. */
  readonly as: string;
  readonly by: string;
  readonly changed: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The order that was renewed: over, and saying as which it goes on. */
export const renewedOrder = (order: Resource, { as, by, changed, now }: Renewed): Resource => {
  const ends = renewable[order['status'] as keyof typeof renewable];
  const mark = {
    url: renewedUrl,
    extension: [
      { url: 'as', valueReference: { reference: as } },
      { url: 'by', valueReference: { reference: by } },
      { url: 'changed', valueBoolean: changed },
      { url: 'time', valueInstant: new Date(now).toISOString() },
    ],
  };
  const text = `${changed ? 'Replaced by' : 'Renewed as'} ${as}`;
  return withMarks({ ...order, status: changed ? ends.changed : ends.asItWas, statusReason: { text } }, [mark]);
};
