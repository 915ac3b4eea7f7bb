import { RecordError } from '../errors.ts';
import { addressOf } from './addresses.ts';
import { withSpellingOf } from './json.ts';
import type { Resource } from './resource.ts';

/** Says why there is no value. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
const dataAbsentReason = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const masked = [{ url: dataAbsentReason, valueCode: 'masked' }];

/** Says that something is masked. https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html */
const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'MASKED' };
const isLabel = ({ system, code }: fhir4.Coding): boolean => system === label.system && code === label.code;

type Json = Record<string, unknown>;
/** Whether a record, given as `Type/id`, is hidden. */
type Hides = (name: string) => boolean;

/** Elements that name a record: references, and attachments that name a Binary. Gives what stands there instead, or undefined. */
type Change = (holder: Json, number: number) => unknown;

/** A copy with other elements in place of some that may name a record; itself, if none is. Each has its number, in document order. */
const changed = <T>(value: T, change: Change, count = { of: 0 }): T => {
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

const isMask = ({ id, extension }: Json): boolean =>
  typeof id === 'string' &&
  /^masked-\d+-\d+$/.test(id) &&
  Array.isArray(extension) &&
  extension.some((each: fhir4.Extension) => each.url === dataAbsentReason && each.valueCode === 'masked');

/** `Type/id` of what an element names: of an attachment, only a Binary. */
const nameIn = ({ reference, url }: Json): string | undefined => {
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

/**
 * What was sent, with what is masked in it as the current version has it.
 *
 * @throws RecordError `business-rule` for what is masked and does not stand in that version.
 */
export const withoutMasks = (
  sent: Resource,
  current: { readonly version: number; readonly resource: Resource | undefined } | undefined,
  hides: Hides,
): Resource => {
  if (!(sent.meta as fhir4.Meta | undefined)?.security?.some(isLabel)) return sent;
  const places = new Map<unknown, Json>();
  changed(current?.resource, (holder, number) => {
    const name = nameIn(holder);
    if (name !== undefined && hides(name)) places.set(`masked-${current?.version}-${number}`, holder);
    return undefined;
  });
  const whole = changed(sent, (holder) => {
    if (!isMask(holder)) return undefined;
    const original = places.get(holder.id);
    if (original) return original;
    throw new RecordError(
      'business-rule',
      'What is masked in this is not what the current version has there; read it again',
      {
        reason: 'masked',
        expression: `${sent.resourceType}.meta.security`,
      },
    );
  }) as unknown as fhir4.DomainResource;
  const { text } = (current?.resource ?? {}) as Partial<fhir4.DomainResource>;
  const { security, ...meta } = whole.meta ?? {};
  const left = security?.filter((each) => !isLabel(each)) ?? [];
  const restored = {
    ...(whole as unknown as Resource),
    ...(text && !whole.text ? { text } : {}),
    meta: { ...meta, ...(left.length === 0 ? {} : { security: left }) },
  } as unknown as Resource;
  return withSpellingOf(restored, whole);
};
