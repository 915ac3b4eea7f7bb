import { RecordError } from '../../errors.ts';
import { unsupportedParameter } from '../../search/refusal.ts';
import { withVersion } from '../../terminology/canonical.ts';
import type { CodeSystem } from '../../terminology/code-system.ts';
import { TooManyCodes } from '../../terminology/expansion.ts';
import { TerminologyGap } from '../../terminology/gap.ts';
import { heldTerminology } from '../../terminology/held.ts';
import { neededFor, type Terminology } from '../../terminology/members.ts';
import { type VersionRules, withVersions } from '../../terminology/version-rules.ts';
import type { RequestContext } from '../context.ts';
import { mostCalls, readTerms, tooManyTerms } from './read-terms.ts';
import { type StoredTerms, storedTerms } from './stored-terms.ts';

/** A value set, and all that it is made of. */
export interface Composed {
  readonly valueSet: fhir4.ValueSet;
  /** The value set itself and those that it imports. */
  readonly valueSets: readonly fhir4.ValueSet[];
  readonly known: Terminology;
}

/** The code systems and value sets that an operation asks: R4's own first, then the organisation's, as far as the caller may search them. */
export interface Terms {
  /** @param canonical - address with or without `|version`. */
  readonly valueSet: (canonical: string) => Promise<fhir4.ValueSet | undefined>;
  readonly codeSystem: (canonical: string) => Promise<CodeSystem | undefined>;
  /** Reads what a value set is made of. @param check - is shown each value set before versions are laid down. */
  readonly compose: (
    valueSet: fhir4.ValueSet,
    rules: VersionRules,
    check?: (valueSet: fhir4.ValueSet) => void,
  ) => Promise<Composed>;
}

/**
 * Runs an operation on terminology. What it took from records leaves a trace in the log of who asks, before its answer leaves; R4's own are
 * nobody's.
 *
 * @param expression - the parameter that names what is asked, for a refusal.
 * @throws RecordError `not-supported` where something is not known here; `too-costly` where too much would have to be read or looked at.
 */
export const withTerms = async <T>(
  context: RequestContext,
  expression: string,
  work: (terms: Terms) => Promise<T>,
): Promise<T> => {
  const used = new Set<string>();
  try {
    return await work(await openTerms(context, expression, used));
  } catch (error) {
    if (error instanceof TerminologyGap) throw unsupportedParameter(expression, error.message);
    if (error instanceof TooManyCodes)
      throw new RecordError('too-costly', 'Too many codes would have to be looked at', { expression });
    throw error;
  } finally {
    const { audit, asking, request } = context;
    if (used.size > 0) {
      const chart = asking.chart ?? asking.caller.organization ?? '';
      await audit.record([{ interaction: 'operation', chart, what: [...used].sort(), query: request.path.join('/') }]);
    }
  }
};

const openTerms = async (context: RequestContext, expression: string, used: Set<string>): Promise<Terms> => {
  const held = await heldTerminology();
  let calls = 0;
  const stored = remembered(
    storedTerms(context, () => {
      if (++calls > mostCalls) throw tooManyTerms(expression);
    }),
    used,
  );
  return {
    valueSet: async (canonical) => held.valueSet(canonical) ?? stored.find('ValueSet', canonical),
    codeSystem: async (canonical) =>
      (await readTerms(stored, held, { valueSets: [], codeSystems: [canonical] })).codeSystem(canonical),
    compose: async (asked, rules, check) => {
      const taken = (valueSet: fhir4.ValueSet): fhir4.ValueSet => {
        check?.(valueSet);
        return withVersions(valueSet, rules);
      };
      const valueSet = taken(asked);
      const { valueSet: find } = await readTerms(stored, held, neededFor(valueSet), taken);
      const valueSets = new Set([valueSet]);
      for (const each of valueSets)
        for (const imported of neededFor(each).valueSets.flatMap((canonical) => find(canonical) ?? []))
          valueSets.add(imported);
      const all = [...valueSets];
      const { codeSystem } = await readTerms(stored, held, { valueSets: [], codeSystems: all.flatMap(systemsIn) });
      return { valueSet, valueSets: all, known: { valueSet: find, codeSystem } };
    },
  };
};

/** All code systems that it names: those of listed codes, too, which know their names and whether they are in use. */
const systemsIn = ({ compose }: fhir4.ValueSet): string[] =>
  [...(compose?.include ?? []), ...(compose?.exclude ?? [])].flatMap(({ system, version }) =>
    system === undefined ? [] : [withVersion(system, version)],
  );

/** Looks for each thing once, and notes which records were found. */
const remembered = (stored: StoredTerms, used: Set<string>): StoredTerms => {
  const looked = new Map<string, Promise<fhir4.Resource | undefined>>();
  return {
    find: async (type, canonical) => {
      const name = `${type} ${canonical}`;
      const finding = looked.get(name) ?? stored.find(type, canonical);
      looked.set(name, finding);
      const found = await finding;
      if (found?.id !== undefined) used.add(`${type}/${found.id}`);
      return found as Awaited<ReturnType<typeof stored.find<typeof type>>>;
    },
  };
};
