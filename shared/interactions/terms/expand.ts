import { RecordError } from '../../errors.ts';
import { invalidParameter } from '../../search/refusal.ts';
import { splitCanonical, withVersion } from '../../terminology/canonical.ts';
import { designationsOf, displayOf, displaysOf, isOfLanguage } from '../../terminology/displays.ts';
import { codeSystemsOf, expansionOf, type Member } from '../../terminology/expansion.ts';
import { wordFilter } from '../../terminology/matches-words.ts';
import type { Interaction } from '../context.ts';
import type { OperationInput } from '../operation-input.ts';
import { largestPageBytes, weightOf } from '../searchset.ts';
import { askedValueSet, namedBy, readTermsInput, valueSetInput } from './asked.ts';
import { withTerms } from './open-terms.ts';

/** What `$expand` is told. https://hl7.org/fhir/R4/valueset-operation-expand.html */
export const expandInput = {
  ...valueSetInput,
  contextDirection: { type: 'code' },
  filter: { type: 'string' },
  offset: { type: 'integer' },
  count: { type: 'integer' },
  includeDesignations: { type: 'boolean' },
  designation: { type: 'string', many: true },
  includeDefinition: { type: 'boolean' },
  activeOnly: { type: 'boolean' },
  excludeNested: { type: 'boolean' },
  excludeNotForUI: { type: 'boolean' },
  excludePostCoordinated: { type: 'boolean' },
  displayLanguage: { type: 'code' },
  'exclude-system': { type: 'canonical', many: true },
  'system-version': { type: 'canonical', many: true },
  'check-system-version': { type: 'canonical', many: true },
  'force-system-version': { type: 'canonical', many: true },
} as const;

type Input = OperationInput<typeof expandInput>;

/** Codes in one answer. */
const mostCodes = 1_000;

/**
 * `ValueSet/$expand` and `ValueSet/{id}/$expand`: the codes of a value set, in the order in which it and its code systems list them, flat. All or
 * a page of them, never a part without saying so. https://hl7.org/fhir/R4/valueset-operation-expand.html
 *
 * @throws RecordError `not-found` for a value set that is not known; `not-supported`, with its name, for a code system whose codes are not;
 *   `too-costly`, with their number, for more codes than one answer has.
 */
export const expand: Interaction = async (context, { id }) => {
  const asked = readTermsInput(context, expandInput);
  const { usual, checked, forced } = versionRules(asked);
  const page = pageOf(asked);
  return withTerms(context, namedBy(id, asked, 'url', 'valueSet'), async (terms) => {
    const definition = await askedValueSet(context, terms, id, asked);
    const { valueSet, valueSets, known } = await terms.compose(definition, { usual, forced }, (each) =>
      requireVersions(each, checked),
    );
    const wanted = expansionOf(valueSet, known).filter(selection(asked));
    if (page === undefined && wanted.length > mostCodes)
      throw tooCostly(`There are ${wanted.length} codes: ask for up to ${mostCodes} at a time, by count and offset`);
    const { offset, count } = page ?? { offset: 0, count: mostCodes };
    const versions = codeSystemsOf(valueSets, known).flatMap(({ url, definition: { version } }) =>
      version === undefined ? [] : [{ name: 'version', valueUri: `${url}|${version}` }],
    );
    const parameter = [...parametersOf(asked, page), ...versions];
    const contains = wanted.slice(offset, offset + count).map((member) => entryOf(member, asked));
    const resource: fhir4.ValueSet = {
      ...described(definition, asked),
      expansion: {
        timestamp: new Date(context.now).toISOString(),
        total: wanted.length,
        ...(page === undefined ? {} : { offset }),
        ...(parameter.length === 0 ? {} : { parameter }),
        ...(contains.length === 0 ? {} : { contains }),
      },
    };
    if (weightOf(resource) > largestPageBytes)
      throw tooCostly('This would weigh too much: ask for fewer at a time, by count');
    return { statusCode: 200, resource };
  });
};

const tooCostly = (message: string) => new RecordError('too-costly', message, { expression: 'count' });

interface Page {
  readonly offset: number;
  readonly count: number;
}

const pageOf = ({ offset, count }: Input): Page | undefined => {
  for (const [name, value] of Object.entries({ offset, count })) {
    if ((value ?? 0) < 0) throw invalidParameter(name, 'A page has no negative number');
  }
  return offset === undefined && count === undefined
    ? undefined
    : { offset: offset ?? 0, count: Math.min(count ?? mostCodes, mostCodes) };
};

const versionRules = (asked: Input) => {
  const read = (name: 'system-version' | 'check-system-version' | 'force-system-version'): Map<string, string> => {
    const versions = new Map<string, string>();
    for (const canonical of asked[name]) {
      const [system, version] = splitCanonical(canonical);
      if (!version)
        throw invalidParameter(name, 'This is the address of a code system with its version: system|version');
      if ((versions.get(system) ?? version) !== version)
        throw invalidParameter(name, 'A code system is named with two versions');
      versions.set(system, version);
    }
    return versions;
  };
  const [usual, checked, forced] = [read('system-version'), read('check-system-version'), read('force-system-version')];
  return { usual: new Map([...usual, ...checked]), checked, forced };
};

/** @throws RecordError `invalid` for a value set that names another version than the one that is checked. */
const requireVersions = ({ url, compose }: fhir4.ValueSet, checked: ReadonlyMap<string, string>): void => {
  for (const { system = '', version } of [...(compose?.include ?? []), ...(compose?.exclude ?? [])]) {
    const [name, own = version] = splitCanonical(system);
    const wanted = checked.get(name);
    if (own !== undefined && wanted !== undefined && own !== wanted)
      throw invalidParameter('check-system-version', `The value set ${url ?? ''} takes ${withVersion(name, own)}`);
  }
};

/** Whether a code is among those that are asked for. */
const selection = (asked: Input): ((member: Member) => boolean) => {
  const { filter, activeOnly, excludeNotForUI } = asked;
  const matches = filter === undefined ? undefined : wordFilter(filter);
  const excluded = asked['exclude-system'].map(splitCanonical);
  return ({ system, usedVersion, code, said, inactive, abstract }) =>
    !(activeOnly && inactive) &&
    !(excludeNotForUI && abstract) &&
    !excluded.some(([url, other]) => url === system && (other === undefined || other === usedVersion)) &&
    (matches?.([code, ...displaysOf(said)]) ?? true);
};

const entryOf = (
  { system, version, code, said, inactive, abstract }: Member,
  asked: Input,
): fhir4.ValueSetExpansionContains => {
  const display = displayOf(said, asked.displayLanguage);
  const designation = wantedDesignations(said, asked);
  return {
    ...(system === '' ? {} : { system }),
    ...(version === undefined ? {} : { version }),
    code,
    ...(display === undefined ? {} : { display }),
    ...(inactive ? { inactive } : {}),
    ...(abstract ? { abstract } : {}),
    ...(designation.length === 0 ? {} : { designation }),
  };
};

/** All of them, or those whose use or language a token names. */
const wantedDesignations = (
  said: Member['said'],
  { includeDesignations, designation }: Input,
): fhir4.ValueSetComposeIncludeConceptDesignation[] => {
  const all = includeDesignations === true || (designation.length > 0 && includeDesignations !== false);
  if (!all) return [];
  const named = designation.map((token): [system: string | undefined, code: string] => {
    const bar = token.indexOf('|');
    return bar < 0 ? [undefined, token] : [token.slice(0, bar), token.slice(bar + 1)];
  });
  return designationsOf(said).filter(
    ({ use, language }) =>
      named.length === 0 ||
      named.some(
        ([system, code]) =>
          ((system === undefined || system === languages) && isOfLanguage(language, code)) ||
          (use?.code === code && (system === undefined || (use.system ?? '') === system)),
      ),
  );
};

/** https://hl7.org/fhir/R4/terminologies-systems.html */
const languages = 'urn:ietf:bcp:47';

/** What is told of the value set beside its codes. The result is nobody's record. */
const described = (valueSet: fhir4.ValueSet, { includeDefinition }: Input): fhir4.ValueSet => {
  const { id: _id, meta: _meta, text: _text, compose, ...others } = valueSet;
  return { ...others, ...(includeDefinition && compose ? { compose } : {}) };
};

/** The input that has decided which codes are listed and how. Lists are flat, whether they are asked to be or not. */
const parametersOf = (asked: Input, page: Page | undefined): fhir4.ValueSetExpansionParameter[] => {
  const { filter, displayLanguage, excludeNested } = asked;
  const canonicals = ['exclude-system', 'system-version', 'check-system-version', 'force-system-version'] as const;
  const switches = ['includeDesignations', 'activeOnly', 'excludeNotForUI', 'excludePostCoordinated'] as const;
  return [
    ...(filter === undefined ? [] : [{ name: 'filter', valueString: filter }]),
    ...asked.designation.map((token) => ({ name: 'designation', valueString: token })),
    ...switches.flatMap((name) => (asked[name] === undefined ? [] : [{ name, valueBoolean: asked[name] }])),
    ...(excludeNested === undefined ? [] : [{ name: 'excludeNested', valueBoolean: true }]),
    ...(displayLanguage === undefined ? [] : [{ name: 'displayLanguage', valueCode: displayLanguage }]),
    ...canonicals.flatMap((name) => asked[name].map((canonical) => ({ name, valueUri: canonical }))),
    ...(page === undefined
      ? []
      : [
          { name: 'offset', valueInteger: page.offset },
          { name: 'count', valueInteger: page.count },
        ]),
  ];
};
