import { addressOf } from './addresses.ts';
import { withSpellingOf } from './json.ts';
import type { Resource } from './resource.ts';

/** Says why there is no value. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const masked = [{ url: dataAbsentReason, valueCode: 'masked' }];

/** Says that something is masked. https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html */
const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'MASKED' };
export const isLabel = ({ system, code }: fhir4.Coding): boolean => system === label.system && code === label.code;

export type Json = Record<string, unknown>;
/** Whether a record, given as `Type/id`, is hidden. */
export type Hides = (name: string) => boolean;

/** Elements that name a record: references, and attachments that name a Binary. Gives what stands there instead, or undefined. */
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

/** `Type/id` of what an element names: of an attachment, only a Binary. */
export const nameIn = ({ reference, url }: Json): string | undefined => {
  const text = typeof reference === 'string' ? reference : typeof url === 'string' ? url : undefined;
  const name = text === undefined ? undefined : addressOf(text)?.name;
  return reference === undefined && !name?.startsWith('Binary/') ? undefined : name;
};

/**
 * A resource in which hidden records are not named: where one is, stands that it is masked, and the number of the place in this version; the narrative is
 * left out. Itself, if it names none.
 */
export const maskedReferences = (resource: Resource, version: number, hides: Hides): Resource => {
  let hidden = false;
  const shown = changed(resource, (holder, number) => {
    const name = nameIn(holder);
    if (name === undefined || !hides(name)) return undefined;
    hidden = true;
    return { id: `masked-${version}-${number}`, extension: masked };
  });
  if (!hidden) return resource;
  // A narrative tells of all that the resource says.
  const { text: _, ...rest } = shown as unknown as fhir4.DomainResource;
  const meta = { ...rest.meta, security: [...(rest.meta?.security ?? []), label] };
  return withSpellingOf({ ...rest, meta } as unknown as Resource, shown);
};

/** Whether something sent says that it was masked. */
export const saysMasked = (sent: Resource): boolean => sent.meta?.security?.some(isLabel) ?? false;
