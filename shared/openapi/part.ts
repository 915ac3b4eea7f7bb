import type { Json, OpenApiDocument, PathItem } from './schema.ts';

/**
 * What a document says under one heading, with those components alone that it needs. For a page that shows one heading at a time: a viewer resolves
 * whatever it shows, and R4's datatypes lead to each other, so here they are named and no more.
 *
 * @returns undefined if there is no such heading.
 */
export const partOf = (document: OpenApiDocument, tag: string): OpenApiDocument | undefined => {
  const tags = document.tags.filter(({ name }) => name === tag);
  if (tags.length === 0) return undefined;
  const paths = Object.fromEntries(
    Object.entries(document.paths).filter(([, item]) => tagsOf(item).includes(tag)),
  ) as OpenApiDocument['paths'];
  const { securitySchemes = {} } = document.components;
  const components: Record<string, Record<string, Json>> = { securitySchemes };
  const take = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      const found = document.components[kind]?.[name];
      if (found === undefined || components[kind]?.[name] !== undefined) continue;
      const shown = kind === 'schemas' ? (shallow(found, name) as Json) : found;
      components[kind] = { ...components[kind], [name]: shown };
      take(shown);
    }
  };
  take(paths);
  return { ...document, tags, paths, components };
};

const tagsOf = (item: PathItem): readonly string[] =>
  Object.entries(item).flatMap(([method, operation]) =>
    method === 'parameters' ? [] : (operation as { tags: readonly string[] }).tags,
  );

/** With references to primitives and to parts of the same type only; what else is referred to is an object of that name. */
const shallow = (value: unknown, owner: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => shallow(item, owner));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, ...rest } = value as { readonly $ref?: unknown };
  if (typeof $ref !== 'string')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shallow(each, owner)]));
  const name = $ref.slice($ref.lastIndexOf('/') + 1);
  return isWithin(name, owner) ? value : { type: 'object', title: name, ...rest };
};

/** Primitives are small; of what a type consists of, not what it stands in itself: items of a questionnaire have items. */
const isWithin = (name: string, owner: string): boolean =>
  /^[a-z]/.test(name) || (name.includes('.') && name !== owner && !owner.startsWith(`${name}.`));
