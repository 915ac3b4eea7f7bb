/** A code of a code system. */
export interface Concept {
  readonly code: string;
  readonly display: string | undefined;
  /** Codes directly above it, by what makes it a kind of them. */
  readonly parents: Set<string>;
  /** Not valid any more. */
  readonly inactive: boolean;
  /** Values of its properties as text, by their codes. */
  readonly properties: ReadonlyMap<string, readonly string[]>;
}

/** A code system, ready to be asked. https://hl7.org/fhir/R4/codesystem.html */
export interface CodeSystem {
  /** As it was read. */
  readonly definition: fhir4.CodeSystem;
  readonly url: string;
  /** Whether all its codes are here: what is not among them is none of its codes. */
  readonly complete: boolean;
  readonly caseSensitive: boolean;
  readonly concepts: ReadonlyMap<string, Concept>;
  /** Codes of its properties, besides what every concept has. */
  readonly properties: ReadonlySet<string>;
  /** The concept of this code, in any case where that does not matter. */
  readonly find: (code: string) => Concept | undefined;
  /** All codes that subsume this one, without itself. */
  readonly ancestors: (code: string) => ReadonlySet<string>;
}

/**
 * Reads a code system. A code is below what it is nested in, unless the hierarchy means something else than kinds; below its `parent` and
 * `subsumedBy`, above its `child`. https://hl7.org/fhir/R4/codesystem.html#hierarchy
 */
export const readCodeSystem = (resource: fhir4.CodeSystem): CodeSystem => {
  const concepts = new Map<string, Concept>();
  const below: [parent: string, child: string][] = [];
  const ofKinds = (resource.hierarchyMeaning ?? 'is-a') === 'is-a';
  const read = (within: readonly fhir4.CodeSystemConcept[], parent?: string): void => {
    for (const { code, display, property = [], concept = [] } of within) {
      const properties = propertiesOf(property);
      const values = (name: string) => properties.get(name) ?? [];
      concepts.set(code, {
        code,
        display,
        parents: new Set(values('subsumedBy')),
        inactive: values('inactive').includes('true') || values('status').includes('retired'),
        properties,
      });
      if (ofKinds) {
        if (parent !== undefined) below.push([parent, code]);
        for (const each of values('parent')) below.push([each, code]);
        for (const each of values('child')) below.push([code, each]);
      }
      read(concept, code);
    }
  };
  read(resource.concept ?? []);
  for (const [parent, child] of below) concepts.get(child)?.parents.add(parent);
  // a rule that is not told: any case is accepted
  const caseSensitive = resource.caseSensitive === true;
  const folded = caseSensitive ? undefined : new Map([...concepts.values()].map((each) => [foldCode(each.code), each]));
  const find = (code: string): Concept | undefined => concepts.get(code) ?? folded?.get(foldCode(code));
  return {
    definition: resource,
    url: resource.url ?? '',
    complete: resource.content === 'complete',
    caseSensitive,
    concepts,
    properties: new Set((resource.property ?? []).map(({ code }) => code)),
    find,
    ancestors: (code) => {
      const start = find(code);
      const found = new Set<string>(start?.parents);
      for (const each of found) for (const parent of concepts.get(each)?.parents ?? []) found.add(parent);
      found.delete(start?.code ?? '');
      return found;
    },
  };
};

/** A code for comparing without case. */
export const foldCode = (code: string): string => code.toLowerCase();

const propertiesOf = (property: readonly fhir4.CodeSystemConceptProperty[]): Map<string, string[]> => {
  const values = new Map<string, string[]>();
  for (const { code, ...value } of property) {
    const text = value.valueCode ?? value.valueString ?? value.valueCoding?.code ?? value.valueDateTime;
    const each = text ?? String(value.valueBoolean ?? value.valueInteger ?? value.valueDecimal ?? '');
    const known = values.get(code);
    if (known) known.push(each);
    else values.set(code, [each]);
  }
  return values;
};
