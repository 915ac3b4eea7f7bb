import type { ElementDefinition } from './structure-definitions.ts';
import { structureDefinitions } from './structure-definitions.ts';

/** Elements that every summary has or that no table names. https://hl7.org/fhir/R4/resource.html */
const unnamed = new Set([
  'id',
  'meta',
  'implicitRules',
  'modifierExtension',
  'language',
  'text',
  'contained',
  'extension',
]);

interface Child {
  readonly name: string;
  readonly definition: ElementDefinition;
  /** Path of what lies below, in the same structure or another. */
  readonly below: string;
}

let definitions: ReadonlyMap<string, ElementDefinition> | undefined;
let children: ReadonlyMap<string, readonly string[]> | undefined;

const read = (): void => {
  const all = new Map<string, ElementDefinition>();
  const byParent = new Map<string, string[]>();
  for (const { snapshot } of structureDefinitions()) {
    for (const element of snapshot.element) {
      if (all.has(element.path)) continue;
      all.set(element.path, element);
      const parent = element.path.slice(0, Math.max(0, element.path.lastIndexOf('.')));
      byParent.set(parent, [...(byParent.get(parent) ?? []), element.path]);
    }
  }
  definitions = all;
  children = byParent;
};

const childrenOf = (path: string): Child[] => {
  if (!definitions || !children) read();
  return (children?.get(path) ?? []).flatMap((each) => {
    const definition = definitions?.get(each);
    if (!definition) return [];
    const types = definition.type ?? [];
    const below =
      definition.contentReference?.slice(1) ??
      (children?.has(each) ? each : types.length === 1 ? (types[0]?.code ?? '') : '');
    return [{ name: each.slice(path.length + 1), definition, below }];
  });
};

const isExtension = ({ name }: Child): boolean => name === 'id' || name === 'extension';

/** Elements below one that is in the summary, in parentheses; nothing if all of them are. */
const below = (path: string, open: readonly string[]): string => {
  if (path === '' || path === 'Resource' || open.includes(path)) return '';
  const parts = childrenOf(path).filter((child) => !isExtension(child));
  const shown = parts.filter(({ definition }) => definition.isSummary === true);
  const names = shown.map((child) => `${printName(child.name)}${below(child.below, [...open, path])}`);
  const isWhole = shown.length === parts.length && names.every((name) => !name.includes('('));
  // a datatype none of whose elements is marked is shown as a whole, since it is marked itself
  return isWhole || shown.length === 0
    ? ''
    : `(${names.filter((name) => !name.startsWith('modifierExtension')).join(' ')})`;
};

const printName = (name: string): string => name.replace('[x]', '+');

/**
 * The table of a type's root elements, for `_summary` and `_elements`: `status!` is mandatory, `value+` a choice,
 * `-used!` and `-onset+` are not in the summary, `contact(name telecom)` is shown with these elements only. https://hl7.org/fhir/R4/search.html#summary
 */
export const elementTable = (type: string): string =>
  childrenOf(type)
    .filter(({ name }) => !unnamed.has(name))
    .flatMap((child) => {
      const { definition, name } = child;
      const mark = definition.min > 0 ? '!' : '';
      if (definition.isSummary !== true)
        return mark === '' && !name.endsWith('[x]') ? [] : [`-${printName(name)}${mark}`];
      return [`${printName(name)}${mark}${below(child.below, [type])}`];
    })
    .join(' ');
