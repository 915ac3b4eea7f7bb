import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { SearchQuery } from './search-query.ts';

/** Marks a resource that lacks elements, so that it does not replace the whole. https://hl7.org/fhir/R4/search.html#summary */
export const subsetted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
  code: 'SUBSETTED',
  display: 'subsetted',
} as const;

/** Whether a resource bears that mark. */
export const isSubsetted = (resource: Resource): boolean =>
  resource.meta?.tag?.some(({ system, code }) => system === subsetted.system && code === subsetted.code) === true;

/**
 * A resource with the elements that a search asks for, marked if it may lack some. It is a copy; what is in it is not.
 *
 * @param table - the type's elements in summaries, as generated (`observationElements`).
 * @see https://hl7.org/fhir/R4/search.html#summary https://hl7.org/fhir/R4/search.html#elements
 */
export const project = (
  resource: Resource,
  { summary, elements }: Partial<Pick<SearchQuery, 'summary' | 'elements'>>,
  table: string,
): Resource => {
  const selected = selection(summary, elements, resource, table);
  if (!selected) return resource;
  const kept = copy(resource as Readonly<Record<string, unknown>>, selected) as unknown as Resource;
  const { meta } = resource;
  const tags = meta?.tag?.filter(({ system, code }) => system !== subsetted.system || code !== subsetted.code) ?? [];
  return withSpellingOf({ ...kept, meta: { ...meta, tag: [...tags, subsetted] } }, resource);
};

/** The elements to be kept, each whole or with what is below it. */
interface Selection {
  readonly below: ReadonlyMap<string, Selection | undefined>;
  /** Choices to be kept: `value` stands for `valueQuantity` and the others. */
  readonly choices: readonly string[];
}

const always = ['resourceType', 'id', 'meta'];
/** What changes the meaning of the rest is never left out. */
const changingMeaning = ['implicitRules', 'modifierExtension'];

const selection = (
  summary: SearchQuery['summary'],
  elements: SearchQuery['elements'],
  resource: Resource,
  table: string,
): Selection | undefined => {
  const { mandatory, choices, summary: marked } = read(table);
  const only = (names: readonly string[]): Selection => ({
    below: new Map(names.map((name) => [name, undefined])),
    choices: choices.filter((choice) => names.includes(choice)),
  });
  if (elements !== undefined) return only([...always, ...changingMeaning, ...mandatory, ...elements]);
  switch (summary) {
    case 'true':
      return marked;
    case 'text':
      return only([...always, ...mandatory, 'text']);
    case 'data':
      return only(
        Object.keys(resource)
          .map(elementOf)
          .filter((name) => name !== 'text'),
      );
    default:
      return undefined;
  }
};

/** The element that a key of JSON belongs to: beside a primitive, its extensions. https://hl7.org/fhir/R4/json.html#primitive */
const elementOf = (key: string): string => key.replace(/^_/, '');

const copy = (source: Readonly<Record<string, unknown>>, { below, choices }: Selection): Record<string, unknown> => {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    const name = elementOf(key);
    if (!below.has(name) && !choices.some((choice) => isChoice(choice, name))) continue;
    const inner = below.get(name);
    kept[key] = inner ? within(value, inner) : value;
  }
  return withSpellingOf(kept, source);
};

const isChoice = (choice: string, name: string): boolean =>
  name.startsWith(choice) && /^[A-Z]/.test(name.slice(choice.length));

const within = (value: unknown, selected: Selection): unknown => {
  if (Array.isArray(value)) return value.map((item) => within(item, selected));
  return typeof value === 'object' && value !== null ? copy(value as Record<string, unknown>, selected) : value;
};

interface Table {
  readonly summary: Selection;
  readonly mandatory: readonly string[];
  readonly choices: readonly string[];
}

const tables = new Map<string, Table>();

const read = (table: string): Table => {
  const known = tables.get(table) ?? readTable(table);
  tables.set(table, known);
  return known;
};

/** https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.isSummary */
const readTable = (table: string): Table => {
  const tokens = table.match(/[()]|[^\s()]+/g) ?? [];
  const nameOf = (token: string): string => token.replace(/^-|[+!]+$/g, '');
  let at = 0;
  const group = (names: readonly string[]): Selection => {
    const below = new Map<string, Selection | undefined>(names.map((name) => [name, undefined]));
    const choices: string[] = [];
    while (at < tokens.length) {
      const token = tokens[at++] ?? '';
      if (token === ')') break;
      const isPart = tokens[at] === '(';
      if (isPart) at++;
      const inner = isPart ? group(['modifierExtension']) : undefined;
      if (token.startsWith('-')) continue;
      if (token.includes('+')) choices.push(nameOf(token));
      else below.set(nameOf(token), inner);
    }
    return { below, choices };
  };
  return {
    summary: group([...always, ...changingMeaning]),
    mandatory: tokens.filter((token) => token.endsWith('!')).map(nameOf),
    choices: tokens.filter((token) => token.includes('+')).map(nameOf),
  };
};
