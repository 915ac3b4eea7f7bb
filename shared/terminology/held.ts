import { splitCanonical } from './canonical.ts';
import { type CodeSystem, readCodeSystem } from './code-system.ts';
import { type Members, membersOf, type Terminology } from './members.ts';

/** R4's own code systems and value sets: which they are is told in docs/search.md. */
export interface HeldTerminology extends Terminology {
  /** The code systems that have this code. */
  readonly systemsWith: (code: string) => readonly CodeSystem[];
  /** The codes that a type's parameter selects, where these are of the type `code`, whose system only their binding tells. */
  readonly boundTo: (resourceType: string, parameter: string) => Members | undefined;
}

/**
 * Reads the texts of `generated/terminology.data.ts`, each part when it is first asked for. A part begins with a line `url|version notes`;
 * all its other lines begin with a space.
 *
 * Of a code system these are concepts: spaces for how deep it is nested, code, display, marks, with tabs between them. `!` marks a group
 * that is not to be chosen, `-retired` a status, `>code` what else is below it. Notes: `example` or `fragment`, and `any-case`.
 *
 * Of a value set they are `+system` and `-system` for what it includes and excludes, then `:code⇥display`, `?property operator value` and
 * `^value set`.
 */
export const readTerminology = (texts: {
  readonly codeSystems: string;
  readonly valueSets: string;
  readonly bindings: string;
}): HeldTerminology => {
  const codeSystems = partsOf(texts.codeSystems, (part) => readCodeSystem(codeSystemOf(part)));
  const valueSets = partsOf(texts.valueSets, valueSetOf);
  const bindings = new Map(
    texts.bindings.split('\n').flatMap((line) => {
      const [url = '', ...bound] = line.split(' ');
      return bound.map((each): [string, string] => [each, url]);
    }),
  );
  const known: Terminology = { codeSystem: codeSystems.get, valueSet: valueSets.get };
  const members = new Map<string, Members>();
  return {
    ...known,
    systemsWith: (code) => codeSystems.containing(code).filter(({ find }) => find(code)),
    boundTo: (resourceType, parameter) => {
      const url = bindings.get(`${resourceType}.${parameter}`) ?? '';
      const valueSet = valueSets.get(url);
      const found = members.get(url) ?? (valueSet && membersOf(valueSet, known));
      if (found) members.set(url, found);
      return found;
    },
  };
};

interface Part {
  readonly url: string;
  readonly version: string | undefined;
  readonly notes: readonly string[];
  readonly lines: readonly string[];
}

const partsOf = <T>(text: string, read: (part: Part) => T) => {
  const places = [...text.matchAll(/^[^ \n].*$/gm)].map(({ 0: header, index }) => ({ header, index }));
  const parts = new Map<string, { readonly version: string | undefined; readonly at: number }>();
  for (const [at, { header }] of places.entries()) {
    const [url, version] = splitCanonical(header.split(' ')[0] ?? '');
    parts.set(url, { version, at });
  }
  const done = new Map<number, T>();
  const part = (at: number): T => {
    const made = done.get(at) ?? read(partOf(text.slice(places[at]?.index, places[at + 1]?.index)));
    done.set(at, made);
    return made;
  };
  return {
    get: (canonical: string): T | undefined => {
      const [url, wanted] = splitCanonical(canonical);
      const found = parts.get(url);
      return found && (wanted === undefined || wanted === found.version) ? part(found.at) : undefined;
    },
    /** Those that may have a line with this code. */
    containing: (code: string): T[] => {
      const found = new Set<number>();
      const escaped = code.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
      for (const { index } of text.matchAll(new RegExp(`^ +${escaped}(?=[\\t\\n])`, 'gim')))
        found.add(places.findLastIndex((place) => place.index < index));
      return [...found].map(part);
    },
  };
};

const partOf = (text: string): Part => {
  const [header = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const [canonical = '', ...notes] = header.split(' ');
  const [url, version] = splitCanonical(canonical);
  return { url, version, notes, lines };
};

const codeSystemOf = ({ url, version, notes, lines }: Part): fhir4.CodeSystem => {
  const root: fhir4.CodeSystemConcept[] = [];
  const path = [root];
  for (const line of lines) {
    const depth = line.search(/[^ ]/);
    const [code = '', display, marks] = line.slice(depth).split('\t');
    const concept: fhir4.CodeSystemConcept[] = [];
    path.length = depth;
    path.at(-1)?.push({
      code,
      ...(display ? { display } : {}),
      ...(marks === undefined ? {} : { property: marks.split(' ').map(propertyOf) }),
      concept,
    });
    path.push(concept);
  }
  const [content = 'complete'] = notes.filter((note) => note !== 'any-case');
  return {
    resourceType: 'CodeSystem',
    status: 'active',
    url,
    ...(version === undefined ? {} : { version }),
    content: content as fhir4.CodeSystem['content'],
    caseSensitive: !notes.includes('any-case'),
    concept: root,
  };
};

const propertyOf = (mark: string): fhir4.CodeSystemConceptProperty => {
  const value = mark.slice(1);
  if (mark === '!') return { code: 'notSelectable', valueBoolean: true };
  return { code: mark.startsWith('>') ? 'child' : 'status', valueCode: value };
};

const valueSetOf = ({ url, version, lines }: Part): fhir4.ValueSet => {
  const compose: fhir4.ValueSetCompose = { include: [], exclude: [] };
  let selection: fhir4.ValueSetComposeInclude = {};
  for (const line of lines) {
    const rest = line.slice(2);
    switch (line.charAt(1)) {
      case ':': {
        const [code = '', display] = rest.split('\t');
        (selection.concept ??= []).push({ code, ...(display === undefined ? {} : { display }) });
        break;
      }
      case '?': {
        const [, property = '', op, value = ''] = /^(\S+) (\S+) (.*)$/.exec(rest) ?? [];
        (selection.filter ??= []).push({ property, op: op as fhir4.ValueSetComposeIncludeFilter['op'], value });
        break;
      }
      case '^':
        (selection.valueSet ??= []).push(rest);
        break;
      default: {
        selection = rest === '' ? {} : systemOf(rest);
        (line.charAt(1) === '+' ? compose.include : compose.exclude)?.push(selection);
      }
    }
  }
  return { resourceType: 'ValueSet', status: 'active', url, ...(version === undefined ? {} : { version }), compose };
};

const systemOf = (canonical: string): fhir4.ValueSetComposeInclude => {
  const [system, version] = splitCanonical(canonical);
  return { system, ...(version === undefined ? {} : { version }) };
};

let held: HeldTerminology | undefined;

/** R4's own code systems and value sets. Not loaded before the first question. */
export const heldTerminology = async (): Promise<HeldTerminology> =>
  (held ??= readTerminology(await import('../fhir/generated/terminology.data.ts')));
