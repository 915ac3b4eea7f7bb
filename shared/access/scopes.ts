import type { Resource } from '../fhir/resource.ts';

/** What can be done with a record: create, read, update, delete, search. https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html */
export type Action = 'c' | 'r' | 'u' | 'd' | 's';

/** Whether an action shows something and changes nothing. */
export const reads = (action: Action): boolean => action === 'r' || action === 's';

/** One clinical scope of a token. */
export interface Scope {
  readonly level: 'patient' | 'user' | 'system';
  /** A resource type, or `*`. */
  readonly type: string;
  readonly actions: ReadonlySet<Action>;
  /** Each of these must hold for a record; none for most scopes. */
  readonly narrowed: readonly Narrowing[];
}

/** What narrows a scope: a record has one of these concepts in the element. */
export interface Narrowing {
  readonly element: string;
  readonly concepts: readonly Concept[];
}

/** A token as a search has it: any system where it is undefined, none where it is empty; any code of the system where that is undefined. */
interface Concept {
  readonly system: string | undefined;
  readonly code: string | undefined;
}

/** Elements by which scopes may be narrowed, of these types alone. */
const narrowable: Readonly<Record<string, readonly string[]>> = {
  Condition: ['category', 'code'],
  Observation: ['category', 'code'],
};

const version2 = /^(patient|user|system)\/([A-Z][A-Za-z]+|\*)\.(c?r?u?d?s?)(?:\?(.+))?$/;
const version1 = /^(patient|user|system)\/([A-Z][A-Za-z]+|\*)\.(read|write|\*)$/;
const meaning = { read: 'rs', write: 'cud', '*': 'cruds' } as const;

/**
 * The clinical scopes among a token's scopes. A scope that is not understood, such as one narrowed by another parameter, permits nothing:
 * reading it as its wider form would.
 */
export const parseScopes = (scope: string): Scope[] =>
  scope.split(' ').flatMap((text) => {
    const [, level, type, letters, query] = version2.exec(text) ?? [];
    const [, level1, type1, word] = version1.exec(text) ?? [];
    if (level && type && letters) {
      const narrowed = query === undefined ? [] : narrowingsIn(type, query);
      return narrowed ? [scopeOf(level, type, letters, narrowed)] : [];
    }
    if (level1 && type1 && word) return [scopeOf(level1, type1, meaning[word as keyof typeof meaning], [])];
    return [];
  });

const scopeOf = (level: string, type: string, letters: string, narrowed: readonly Narrowing[]): Scope => ({
  level: level as Scope['level'],
  type,
  actions: new Set([...letters] as Action[]),
  narrowed,
});

/** `category=system|code,…&…`, as a search has it; undefined if any part of it is something else. */
const narrowingsIn = (type: string, query: string): Narrowing[] | undefined => {
  const narrowings = [...new URLSearchParams(query)].map(([element, values]): Narrowing | undefined => {
    const concepts = values.split(',').map(conceptIn);
    return narrowable[type]?.includes(element) && concepts.every((concept) => concept !== undefined)
      ? { element, concepts }
      : undefined;
  });
  return narrowings.every((narrowing) => narrowing !== undefined) ? narrowings : undefined;
};

/** https://hl7.org/fhir/R4/search.html#token */
const conceptIn = (token: string): Concept | undefined => {
  const [first = '', second, ...others] = token.split('|');
  if (token.includes('\\') || others.length > 0 || (first === '' && !second)) return undefined;
  return second === undefined
    ? { system: undefined, code: first }
    : { system: first, code: second === '' ? undefined : second };
};

/** Whether a resource is within what a scope is narrowed to. Nothing is known of what a deleted record was. */
export const isWithin = ({ narrowed }: Scope, resource: Resource | undefined): boolean =>
  narrowed.every(({ element, concepts }) =>
    codingsIn(resource?.[element]).some(({ system = '', code }) =>
      concepts.some(
        (concept) =>
          (concept.system === undefined || concept.system === system) &&
          (concept.code === undefined ? code !== undefined : concept.code === code),
      ),
    ),
  );

/** Codings of a CodeableConcept, or of several. */
const codingsIn = (element: unknown): fhir4.Coding[] =>
  [element ?? []].flat().flatMap((concept) => (concept as fhir4.CodeableConcept).coding ?? []);
