import type { Resource } from '../fhir/resource.ts';
import { serves, servicesOf } from './services.ts';
import type { Span } from './span.ts';

/** What a Slot leaves open. */
export interface OpenSlot extends Span {
  /** `Slot/id`. */
  readonly reference: string;
}

/** Slots that are had by bookings, or can be: what is `busy-unavailable` only closes time that is open otherwise. https://hl7.org/fhir/R4/valueset-slotstatus.html */
const offering: ReadonlySet<string> = new Set(['free', 'busy', 'busy-tentative']);

/** A Slot, and its id. */
interface SlotRecord {
  readonly id: string;
  /** Undefined for one that is gone. */
  readonly resource: Resource | undefined;
}

const slotIn = ({ resource }: SlotRecord) => (resource ?? {}) as Partial<fhir4.Slot>;

/** Whether these Slots show that their Schedule is open by Slots, and not by hours. */
export const isOpenBySlots = (slots: readonly SlotRecord[]): boolean =>
  slots.some((slot) => offering.has(slotIn(slot).status ?? ''));

/**
 * What Slots leave open for a service: those that are free, in no order. One that is overbooked is unlikely to be had, so it is not offered; one that ends before it begins, which R4 allows, is no time.
 *
 * @param services - as `servicesOf` names them; whatever it is, if empty.
 * @see https://hl7.org/fhir/R4/slot.html
 */
export const openSlots = (slots: readonly SlotRecord[], services: readonly string[]): OpenSlot[] =>
  slots.flatMap((slot) => {
    const { status, overbooked, serviceType, start = '', end = '' } = slotIn(slot);
    const [from, to] = [Date.parse(start), Date.parse(end)];
    return status === 'free' && overbooked !== true && from < to && serves(servicesOf(serviceType), services)
      ? [{ reference: `Slot/${slot.id}`, from, to }]
      : [];
  });
