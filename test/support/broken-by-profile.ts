// Reads the published profiles in the plainest way, apart from the code that compiles them, and breaks a resource in one place for each
// thing that they ask of it.
import { type KeptElement, type KeptProfile, keptGuide } from '../../infra/generate/us-core-profiles.ts';

type Json = Record<string, unknown>;

/** One way in which a resource does not meet a profile. */
export interface Broken {
  /** `min of Patient.identifier` */
  readonly what: string;
  /** The element, without indexes: `Patient.identifier`. */
  readonly path: string;
  readonly resource: Json;
}

const profiles = new Map(keptGuide().profiles.map((profile) => [profile.url, profile]));

/** The elements of a profile, with those of the profiles of US Core that it is based on. */
export const elementsOfProfile = ({ base, elements }: KeptProfile): KeptElement[] => {
  const parent = profiles.get(base);
  const merged = new Map<string, KeptElement>();
  for (const element of [...(parent === undefined ? [] : elementsOfProfile(parent)), ...elements]) {
    merged.set(element.id, { ...merged.get(element.id), ...element });
  }
  return [...merged.values()];
};

/** Where an element stands: what holds it, in which property, and which of its values are meant. */
interface Place {
  readonly holder: Json;
  readonly property: string;
  readonly indexes: readonly number[];
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

/** Texts that what belongs to a slice has, and nothing else here: its codes, systems and addresses. */
const marksOf = (sliceId: string, elements: readonly KeptElement[]): string[] => {
  const texts = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : isObject(value) || Array.isArray(value)
        ? Object.values(value).flatMap(texts)
        : [];
  return elements
    .filter(({ id }) => id === sliceId || id.startsWith(`${sliceId}.`))
    .filter(({ id }) => !id.includes('valueQuantity'))
    .flatMap(({ pattern, fixed, types = [] }) => [
      ...texts(pattern),
      ...texts(fixed),
      ...types.flatMap(({ profile }) => profile ?? []),
    ]);
};

const placesOf = (start: Json, id: string, elements: readonly KeptElement[]): Place[] => {
  let holders: Json[] = [start];
  let places: Place[] = [];
  let walked = id.split('.')[0] ?? '';
  for (const part of id.split('.').slice(1)) {
    walked += `.${part}`;
    const [name = '', slice] = part.split(':');
    const stem = name.replace('[x]', '');
    const marks = slice === undefined ? [] : marksOf(walked, elements);
    places = holders.flatMap((holder) =>
      Object.keys(holder)
        .filter((key) => key === name || (name.endsWith('[x]') && new RegExp(`^${stem}[A-Z]`).test(key)))
        .map((property) => ({
          holder,
          property,
          indexes: listOf(holder[property]).flatMap((item, index) =>
            marks.every((mark) => JSON.stringify(item).includes(JSON.stringify(mark))) ? [index] : [],
          ),
        })),
    );
    holders = places.flatMap(({ holder, property, indexes }) =>
      indexes
        .map((index) => listOf(holder[property])[index])
        .map((value, index) => {
          if (isObject(value)) return value;
          const beside = listOf(holder[`_${property}`])[index];
          return isObject(beside) ? beside : {};
        }),
    );
  }
  return places.filter(({ indexes }) => indexes.length > 0);
};

const otherCode = { system: 'http://concord.test/other', code: 'none' };

/** A value that none of the value sets has, and that is no fixed value, of the same shape. */
const otherThan = (value: unknown): unknown => {
  if (typeof value === 'string') return 'none';
  if (!isObject(value)) throw new Error('nothing else is known for this');
  if ('coding' in value || 'text' in value) return { coding: [otherCode] };
  if ('reference' in value) return { reference: 'Group/1' };
  return { ...value, ...otherCode };
};

/** A choice that is narrowed nowhere to this. */
const otherChoice = (property: string): readonly [property: string, value: unknown] =>
  property.startsWith('effective') ? ['effectiveInstant', '2024-05-06T07:08:09Z'] : ['valueInteger', 1];

const set = ({ holder, property }: Place, values: readonly unknown[]): void => {
  delete holder[`_${property}`];
  if (values.length === 0) delete holder[property];
  else holder[property] = Array.isArray(holder[property]) ? values : values[0];
};

type Change = (place: Place) => void;

const without =
  (left: number): Change =>
  (place) => {
    const values = listOf(place.holder[place.property]);
    const gone = new Set(place.indexes.slice(left));
    set(
      place,
      values.filter((_, index) => !gone.has(index)),
    );
  };

const repeated =
  (times: number): Change =>
  (place) => {
    const values = listOf(place.holder[place.property]);
    const copy = values[place.indexes[0] ?? 0];
    set(place, [...values, ...Array.from({ length: times }, () => structuredClone(copy))]);
  };

const replaced: Change = (place) => {
  const values = listOf(place.holder[place.property]);
  set(
    place,
    values.map((value, index) => (place.indexes.includes(index) ? otherThan(value) : value)),
  );
};

const ofOtherType: Change = ({ holder, property }) => {
  const [name, value] = otherChoice(property);
  delete holder[property];
  holder[name] = value;
};

/** Whether a change takes a value out of a slice to which nothing has to belong, which is in order. */
const leavesSlice = (id: string, elements: readonly KeptElement[]): boolean => {
  const minOf = (wanted: string): number => elements.find((element) => element.id === wanted)?.min ?? 0;
  const [, sliceId, below] = /^(.*:[^.]+)(\..+)?$/.exec(id) ?? [];
  if (sliceId === undefined || minOf(sliceId) > 0) return false;
  const sliced = elements.find((element) => element.id === sliceId.replace(/:[^:]+$/, ''));
  return (sliced?.discriminators ?? []).some((path) => (below ?? '.$this') === `.${path}`);
};

/** The ways to break what is asked of an element. */
const changesOf = (
  { id, min = 0, max = '*', fixed, pattern, binding, types = [] }: KeptElement,
  { holder, property }: Place,
  elements: readonly KeptElement[],
): [what: string, change: Change][] => {
  const found: [string, Change][] = [];
  if (max !== '*' && Array.isArray(holder[property])) found.push(['max', repeated(Number(max))]);
  if (leavesSlice(id, elements)) return found;
  if (min > 0) found.push(['min', without(min - 1)]);
  if (fixed !== undefined) found.push(['fixed', replaced]);
  if (pattern !== undefined) found.push(['pattern', replaced]);
  if (binding?.strength === 'required') found.push(['binding', replaced]);
  if (types.some(({ targets }) => targets !== undefined) && !id.endsWith('[x]')) found.push(['targets', replaced]);
  const isNarrowed = /(?:effective|value)\[x\]$/.test(id) && types.length > 0;
  if (isNarrowed && !types.some(({ code }) => code === 'integer' || code === 'instant'))
    found.push(['types', ofOtherType]);
  return found;
};

/**
 * Breaks a resource in each place and way that a profile asks something of.
 *
 * @param resource - that meets the profile.
 * @param start - what is asked of: the resource, or an extension in it.
 */
export const brokenBy = (
  { type, ...profile }: KeptProfile,
  resource: Json,
  start: (resource: Json) => Json = (whole) => whole,
): Broken[] => {
  const elements = elementsOfProfile({ type, ...profile });
  return elements.flatMap((element) =>
    placesOf(start(resource), element.id, elements).flatMap((place, at) =>
      changesOf(element, place, elements).map(([what, change]): Broken => {
        const copy = structuredClone(resource);
        const copied = placesOf(start(copy), element.id, elements)[at];
        if (copied) change(copied);
        return { what: `${what} of ${element.id}`, path: pathOf(element.id, what, place), resource: copy };
      }),
    ),
  );
};

/**
 * Puts codes that a profile should rather not have wherever it has an extensible binding, and asks nothing else of the element: what comes of it
 * is legal, and is to be warned of.
 *
 * @param resource - that meets the profile.
 */
export const outsideExtensible = (profile: KeptProfile, resource: Json): Broken[] => {
  const elements = elementsOfProfile(profile);
  const asksMore = (id: string): boolean =>
    elements.some(
      ({ id: other, min = 0, pattern, fixed }) =>
        (other.replaceAll(/:[^.]+/g, '') === id && (pattern !== undefined || fixed !== undefined)) ||
        (other.startsWith(`${id}.`) && min > 0),
    );
  return elements
    .filter(({ id, binding }) => binding?.strength === 'extensible' && !asksMore(id))
    .flatMap(({ id }) =>
      placesOf(resource, id, elements).flatMap((place, at): Broken[] => {
        // of a choice the binding means concepts
        if (id.endsWith('[x]') && !/(?:CodeableConcept|Coding|Code)$/.test(place.property)) return [];
        const copy = structuredClone(resource);
        const copied = placesOf(copy, id, elements)[at];
        if (copied) replaced(copied);
        return [{ what: `extensible binding of ${id}`, path: pathOf(id, 'binding', place), resource: copy }];
      }),
    );
};

/** Without indexes; of a choice that is missing without its type. */
const pathOf = (id: string, what: string, { property }: Place): string => {
  const parents = id
    .replaceAll(/:[^.]+/g, '')
    .split('.')
    .slice(0, -1);
  const isMissing = what === 'min' && id.endsWith('[x]');
  const named = isMissing
    ? (id.split('.').at(-1) ?? '').replace('[x]', '')
    : what === 'types'
      ? otherChoice(property)[0]
      : property;
  return [...parents, named].join('.');
};
