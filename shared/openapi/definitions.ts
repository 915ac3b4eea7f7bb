import type { Json } from './schema.ts';

/** What is said of R4's types, read line by line from the texts that are generated. */
export interface Definitions {
  /** JSON Schemas of these types and of whatever they consist of, by name. */
  readonly schemasOf: (names: readonly string[]) => Readonly<Record<string, Json>>;
  /** A small resource of a type. */
  readonly exampleOf: (type: string) => Json;
  /** What a search parameter means in a type; undefined if its definition does not say. */
  readonly meaningOf: (type: string, code: string) => string | undefined;
}

export interface DefinitionTexts {
  readonly jsonSchemas: string;
  readonly jsonExamples: string;
  readonly searchMeanings: string;
}

/** @throws Error from its functions for a type that does not exist. */
export const readDefinitions = ({ jsonSchemas, jsonExamples, searchMeanings }: DefinitionTexts): Definitions => {
  const [schemas, examples] = [linesByName(jsonSchemas), linesByName(jsonExamples)];
  const meanings = new Map(
    [...searchMeanings.matchAll(/^(\S+ \S+) (.+)$/gm)].map(([, key = '', meaning = '']) => [key, meaning]),
  );
  return {
    schemasOf: (names) => {
      const found: Record<string, Json> = {};
      const take = (name: string): void => {
        if (Object.hasOwn(found, name)) return;
        const text = lineOf(schemas, name);
        found[name] = JSON.parse(text) as Json;
        for (const [, used = ''] of text.matchAll(/"#\/components\/schemas\/([\w.]+)"/g)) take(used);
      };
      names.forEach(take);
      return Object.fromEntries(Object.entries(found).sort(([left], [right]) => (left < right ? -1 : 1)));
    },
    exampleOf: (type) => JSON.parse(lineOf(examples, type)) as Json,
    meaningOf: (type, code) =>
      [type, 'DomainResource', 'Resource'].map((owner) => meanings.get(`${owner} ${code}`)).find(Boolean),
  };
};

const linesByName = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^(\S+) (.+)$/gm)].map(([, name = '', line = '']) => [name, line]));

const lineOf = (lines: ReadonlyMap<string, string>, name: string): string => {
  const found = lines.get(name);
  if (found === undefined) throw new Error(`Nothing was generated for ${name}`);
  return found;
};
