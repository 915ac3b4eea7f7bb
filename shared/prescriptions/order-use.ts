import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

// Which changes of dispenses and administrations are judged by the order that they name. What names none costs nothing.

const changes = (before: Resource | undefined, next: Resource, elements: readonly string[]): boolean =>
  !before || elements.some((name) => stringifyJson(before[name]) !== stringifyJson(next[name]));

/** What a record is of its order: an intention may be refused, what has happened never; undefined for what uses none of it. */
export type Use = 'intention' | 'happened' | undefined;

const over: ReadonlySet<unknown> = new Set(['cancelled', 'declined', 'entered-in-error', 'not-done']);
const underWay: ReadonlySet<unknown> = new Set(['preparation', 'in-progress']);

/** What a dispense is of its order. What was handed over has happened, whatever its state says. */
export const useOfDispense = ({ status, whenHandedOver }: Resource): Use => {
  if (over.has(status)) return undefined;
  if (status === 'completed' || whenHandedOver !== undefined) return 'happened';
  return underWay.has(status) ? 'intention' : undefined;
};

/** What an administration is of its order: one that was completed, or broken off after it began, has happened. */
export const useOfAdministration = ({ status }: Resource): Use => {
  if (status === 'completed' || status === 'stopped') return 'happened';
  return underWay.has(status) ? 'intention' : undefined;
};

/** A dispense that newly uses an order, or uses it otherwise. */
export const dispenseCallsForCheck = (before: Resource | undefined, next: Resource): boolean =>
  next['authorizingPrescription'] !== undefined &&
  useOfDispense(next) !== undefined &&
  changes(before, next, [
    'status',
    'authorizingPrescription',
    'type',
    'quantity',
    'daysSupply',
    'whenPrepared',
    'whenHandedOver',
  ]);

/** An administration that newly uses an order, or at another time. */
export const administrationCallsForCheck = (before: Resource | undefined, next: Resource): boolean =>
  next['request'] !== undefined &&
  useOfAdministration(next) !== undefined &&
  changes(before, next, ['status', 'request', 'effectiveDateTime', 'effectivePeriod']);
