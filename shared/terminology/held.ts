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

/** Reads the texts of `generated/terminology.data.ts`, each line when it is first asked for. */
export const readTerminology = (texts: {
  readonly codeSystems: string;
  readonly valueSets: string;
  readonly bindings: string;
}): HeldTerminology => {
  const codeSystems = linesOf(texts.codeSystems, (line) =>
    readCodeSystem({ resourceType: 'CodeSystem', status: 'active', ...line } as fhir4.CodeSystem),
  );
  const valueSets = linesOf(
    texts.valueSets,
    (line) => ({ resourceType: 'ValueSet', status: 'active', ...line }) as fhir4.ValueSet,
  );
  const bindings = new Map(
    texts.bindings.split('\n').flatMap((line) => {
      const [url = '', ...bound] = line.split(' ');
      return bound.map((each): [string, string] => [each, url]);
    }),
  );
  const known: Terminology = { codeSystem: codeSystems.get, valueSet: valueSets.get };
  const members = new Map<string, Members>();
  let byCode: Map<string, (readonly [code: string, CodeSystem])[]> | undefined;
  return {
    ...known,
    systemsWith: (code) => {
      byCode ??= Map.groupBy(
        codeSystems.all().flatMap((each) => [...each.concepts.keys()].map((own) => [own, each] as const)),
        ([own]) => own,
      );
      return (byCode.get(code) ?? []).map(([, each]) => each);
    },
    boundTo: (resourceType, parameter) => {
      const url = bindings.get(`${resourceType}.${parameter}`) ?? '';
      const valueSet = valueSets.get(url);
      const found = members.get(url) ?? (valueSet && membersOf(valueSet, known));
      if (found) members.set(url, found);
      return found;
    },
  };
};

/** An address with a version, and the rest as JSON. */
interface Line {
  readonly url: string;
  readonly version: string | undefined;
}

const linesOf = <T>(text: string, read: (line: Line) => T) => {
  const lines = new Map(
    text
      .trim()
      .split('\n')
      .map((line) => {
        const space = line.indexOf(' ');
        const [url, version] = splitCanonical(line.slice(0, space));
        return [url, { version, rest: line.slice(space) }] as const;
      }),
  );
  const done = new Map<string, T>();
  const get = (canonical: string): T | undefined => {
    const [url, wanted] = splitCanonical(canonical);
    const line = lines.get(url);
    if (!line || (wanted !== undefined && wanted !== line.version)) return undefined;
    const made = done.get(url) ?? read({ url, version: line.version, ...(JSON.parse(line.rest) as object) });
    done.set(url, made);
    return made;
  };
  return { get, all: () => [...lines.keys()].flatMap((url) => get(url) ?? []) };
};

let held: HeldTerminology | undefined;

/** R4's own code systems and value sets. Not loaded before the first question. */
export const heldTerminology = async (): Promise<HeldTerminology> =>
  (held ??= readTerminology(await import('../fhir/generated/terminology.data.ts')));
