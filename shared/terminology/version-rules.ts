import { splitCanonical } from './canonical.ts';

/** Versions of code systems by their addresses, for value sets that name none, or whatever they name. */
export interface VersionRules {
  /** For a code system without a version in the value set. */
  readonly usual: ReadonlyMap<string, string>;
  /** Instead of whatever version is named. */
  readonly forced: ReadonlyMap<string, string>;
}

/** A value set that draws on these versions of its code systems. */
export const withVersions = (valueSet: fhir4.ValueSet, { usual, forced }: VersionRules): fhir4.ValueSet => {
  const { compose } = valueSet;
  if (!compose || (usual.size === 0 && forced.size === 0)) return valueSet;
  const ruled = (selection: fhir4.ValueSetComposeInclude): fhir4.ValueSetComposeInclude => {
    if (selection.system === undefined) return selection;
    const [system, own = selection.version] = splitCanonical(selection.system);
    const version = forced.get(system) ?? own ?? usual.get(system);
    return { ...selection, system, ...(version === undefined ? {} : { version }) };
  };
  return {
    ...valueSet,
    compose: {
      ...compose,
      include: compose.include.map(ruled),
      ...(compose.exclude ? { exclude: compose.exclude.map(ruled) } : {}),
    },
  };
};

/** The versions of a code system that value sets name. */
export const versionsNamed = (valueSets: readonly fhir4.ValueSet[], system: string): ReadonlySet<string> =>
  new Set(
    valueSets.flatMap(({ compose }) =>
      [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap((selection) => {
        const [url, own = selection.version] = splitCanonical(selection.system ?? '');
        return url === system && own !== undefined ? [own] : [];
      }),
    ),
  );
