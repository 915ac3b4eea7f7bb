import { addressElements, addressOf, linkedIn } from './addresses.ts';
import { withSpellingOf } from './json.ts';
import type { Resource } from './resource.ts';

/** Says why there is no value. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
/** What stands where something is not told. */
export const maskedValue = [{ url: dataAbsentReason, valueCode: 'masked' }];

/** Says that something is masked. https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html */
export const maskedLabel = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'MASKED' };
export const isLabel = ({ system, code }: fhir4.Coding): boolean =>
  system === maskedLabel.system && code === maskedLabel.code;

export type Json = Record<string, unknown>;
/** Whether a record, given as `Type/id`, is hidden. */
export type Hides = (name: string) => boolean;

/** An element that may name a record. Gives what stands there instead, or undefined. */
type Change = (holder: Json, number: number) => unknown;

/** A copy with other elements in place of some that may name a record; itself, if none is. Each has its number, in document order. */
export const changed = <T>(value: T, change: Change, count = { of: 0 }): T => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items: unknown[] = value.map((item) => changed(item, change, count));
    return items.some((item, index) => item !== value[index]) ? (withSpellingOf(items, value) as T) : value;
  }
  const holder = value as Json;
  if (isMask(holder) || typeof holder.reference === 'string' || typeof holder.url === 'string') {
    const other = change(holder, count.of++);
    if (other !== undefined) return other as T;
  }
  let copy: Json | undefined;
  for (const key in holder) {
    const member = holder[key];
    if (typeof member !== 'object') continue;
    const other = changed(member, change, count);
    if (other !== member) {
      copy ??= withSpellingOf({ ...holder }, holder);
      copy[key] = other;
    }
  }
  return (copy ?? value) as T;
};

export const isMask = ({ id, extension }: Json): boolean =>
  typeof id === 'string' &&
  /^masked-\d+-\d+$/.test(id) &&
  Array.isArray(extension) &&
  extension.some((each: fhir4.Extension) => each.url === dataAbsentReason && each.valueCode === 'masked');

/** `Type/id` of each record that an element names, whatever by. The address of an extension's definition is none. */
export const namesIn = (holder: Json): string[] =>
  addressElements.flatMap((key) => {
    const value = holder[key];
    return (typeof value === 'string' ? addressOf(value)?.name : undefined) ?? [];
  });

/**
 * A resource in which hidden records are not named: where one is, stands that it is masked, and the number of the place in this version; the narrative is
 * left out. Itself, if it names none.
 */
export const maskedReferences = (resource: Resource, version: number, hides: Hides): Resource => {
  let hidden = false;
  const shown = changed(resource, (holder, number) => {
    if (!namesIn(holder).some(hides)) return undefined;
    hidden = true;
    const mask = { id: `masked-${version}-${number}`, extension: maskedValue };
    // An extension stays one.
    return addressElements.some((key) => key.startsWith('value') && key in holder)
      ? { url: holder.url, ...mask }
      : mask;
  });
  const { div } = (resource as unknown as fhir4.DomainResource).text ?? { div: '' };
  if (!hidden && !linkedIn(div).some(({ name }) => hides(name))) return resource;
  // A narrative tells of all that the resource says.
  const { text: _, ...rest } = shown as unknown as fhir4.DomainResource;
  const meta = { ...rest.meta, security: [...(rest.meta?.security ?? []), maskedLabel] };
  return withSpellingOf({ ...rest, meta } as unknown as Resource, shown);
};

/** Whether something sent says that it was masked. */
export const saysMasked = (sent: Resource): boolean => sent.meta?.security?.some(isLabel) ?? false;
