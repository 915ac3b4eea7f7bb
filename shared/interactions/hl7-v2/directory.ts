import { withSpellingOf } from '../../fhir/json.ts';
import { conditionalMatch } from '../conditional-match.ts';
import type { FilingContext } from './typed.ts';
import { byIdentifier, contextOf } from './typed.ts';

const directory: ReadonlySet<string> = new Set(['Practitioner', 'Location', 'Device', 'Organization']);

type Found = Map<string, Promise<string | undefined>>;

/**
 * A resource whose references lead to the directory where somebody there bears their identifier, and to the records of the message for which names stand in it.
 *
 * @param names - what stands for which record; a reference to what is not there is left out.
 * @param found - of the same message.
 */
export const withReferences = async (
  context: FilingContext,
  value: unknown,
  names: ReadonlyMap<string, string>,
  found: Found,
): Promise<unknown> => {
  if (Array.isArray(value)) return Promise.all(value.map((each) => withReferences(context, each, names, found)));
  if (typeof value !== 'object' || value === null) return value;
  const reference = value as fhir4.Reference;
  const stands = reference.reference === undefined ? undefined : names.get(reference.reference);
  if (stands !== undefined) return { ...reference, reference: stands };
  const { type = '', identifier } = reference;
  if (
    directory.has(type) &&
    identifier?.system !== undefined &&
    identifier.value !== undefined &&
    reference.reference === undefined
  ) {
    const key = { system: identifier.system, value: identifier.value };
    const name = `${type} ${byIdentifier(key)}`;
    const looking = found.get(name) ?? lookUp(context, type, key);
    found.set(name, looking);
    const leads = await looking;
    return leads === undefined ? reference : { ...reference, reference: leads };
  }
  const entries = await Promise.all(
    Object.entries(value).map(
      async ([element, each]) => [element, await withReferences(context, each, names, found)] as const,
    ),
  );
  return withSpellingOf(Object.fromEntries(entries), value);
};

const lookUp = async (
  context: FilingContext,
  type: string,
  key: { system: string; value: string },
): Promise<string | undefined> => {
  const { matches } = await conditionalMatch(contextOf(context, type), byIdentifier(key), 'identifier');
  return matches[0] && `${type}/${matches[0].id}`;
};
