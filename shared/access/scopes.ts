/** What can be done with a record: create, read, update, delete, search. https://hl7.org/fhir/smart-app-launch/STU2.1/scopes-and-launch-context.html */
export type Action = 'c' | 'r' | 'u' | 'd' | 's';

/** One clinical scope of a token. */
export interface Scope {
  readonly level: 'patient' | 'user' | 'system';
  /** A resource type, or `*`. */
  readonly type: string;
  readonly actions: ReadonlySet<Action>;
}

const version2 = /^(patient|user|system)\/([A-Z][A-Za-z]+|\*)\.(c?r?u?d?s?)$/;
const version1 = /^(patient|user|system)\/([A-Z][A-Za-z]+|\*)\.(read|write|\*)$/;
const meaning = { read: 'rs', write: 'cud', '*': 'cruds' } as const;

/**
 * The clinical scopes among a token's scopes. A scope that is not understood, such as one narrowed by a query, permits nothing:
 * reading it as its wider form would.
 */
export const parseScopes = (scope: string): Scope[] =>
  scope.split(' ').flatMap((text) => {
    const [, level, type, letters] = version2.exec(text) ?? [];
    const [, level1, type1, word] = version1.exec(text) ?? [];
    if (level && type && letters) return [scopeOf(level, type, letters)];
    if (level1 && type1 && word) return [scopeOf(level1, type1, meaning[word as keyof typeof meaning])];
    return [];
  });

const scopeOf = (level: string, type: string, letters: string): Scope => ({
  level: level as Scope['level'],
  type,
  actions: new Set([...letters] as Action[]),
});
