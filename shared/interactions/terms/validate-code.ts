import { invalidParameter } from '../../search/refusal.ts';
import { membersOf } from '../../terminology/members.ts';
import { type MembersOfSet, validateInCodeSystem, validateInValueSet } from '../../terminology/validation.ts';
import type { Interaction } from '../context.ts';
import { askedCodeSystem, askedValueSet, codeSystemInput, namedBy, readTermsInput, valueSetInput } from './asked.ts';
import { askedCodings, codingInput, judgeCodings } from './judge-codings.ts';
import { type Terms, withTerms } from './open-terms.ts';

export const inValueSetInput = {
  ...valueSetInput,
  ...codingInput,
  system: { type: 'uri' },
  systemVersion: { type: 'string' },
} as const;

/**
 * `ValueSet/$validate-code` and `ValueSet/{id}/$validate-code`: whether a coding, or one of several, is in a value set.
 * https://hl7.org/fhir/R4/valueset-operation-validate-code.html
 *
 * @throws RecordError `not-found` for a value set that is not known; `not-supported` where that cannot be told, with what is missing.
 */
export const validateInSet: Interaction = async (context, { id }) => {
  const asked = readTermsInput(context, inValueSetInput);
  const { code, system, systemVersion, abstract, displayLanguage: language } = asked;
  if (code !== undefined && system === undefined) throw invalidParameter('system', 'A code needs its system');
  for (const [name, value] of Object.entries({ system, systemVersion })) {
    if (code === undefined && value !== undefined)
      throw invalidParameter(name, 'It goes with a code; a coding has one of its own');
  }
  const codings = askedCodings(asked, {
    ...(system === undefined ? {} : { system }),
    ...(systemVersion === undefined ? {} : { version: systemVersion }),
  });
  return withTerms(context, namedBy(id, asked, 'url', 'valueSet'), async (terms) => {
    const definition = await askedValueSet(context, terms, id, asked);
    const composed = new Map<string, MembersOfSet>();
    return judgeCodings(codings, async (coding) => {
      // the version that a coding names is that of its code system, where the value set leaves it open
      const pinned = coding.system && coding.version ? ([coding.system, coding.version] as const) : undefined;
      const name = pinned?.join('|') ?? '';
      const members = composed.get(name) ?? (await composedWith(terms, definition, pinned));
      composed.set(name, members);
      return validateInValueSet(coding, members, { abstract, language });
    });
  });
};

const composedWith = async (
  terms: Terms,
  definition: fhir4.ValueSet,
  pinned: readonly [system: string, version: string] | undefined,
): Promise<MembersOfSet> => {
  const { valueSet, valueSets, known } = await terms.compose(definition, {
    usual: new Map(pinned && [pinned]),
    forced: new Map(),
  });
  return { members: membersOf(valueSet, known), valueSets, known };
};

export const inCodeSystemInput = {
  ...codeSystemInput,
  ...codingInput,
  url: { type: 'uri' },
  codeSystem: { type: 'Resource' },
} as const;

/**
 * `CodeSystem/$validate-code` and `CodeSystem/{id}/$validate-code`: whether a coding, or one of several, is of a code system.
 * https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 *
 * @throws RecordError as `validateInSet` does.
 */
export const validateInSystem: Interaction = async (context, { id }) => {
  const asked = readTermsInput(context, inCodeSystemInput);
  const { url, coding, abstract, displayLanguage: language } = asked;
  const version = asked.version ?? (id === '' && url !== undefined ? coding?.version : undefined);
  const codings = askedCodings(asked, {});
  return withTerms(context, namedBy(id, asked, 'url', 'codeSystem'), async (terms) => {
    const codeSystem = await askedCodeSystem(
      context,
      terms,
      id,
      { parameter: 'url', url },
      { version, codeSystem: asked.codeSystem },
    );
    return judgeCodings(codings, async (each) =>
      validateInCodeSystem(asked.code === undefined ? each : { ...each, system: codeSystem.url }, codeSystem, {
        abstract,
        language,
      }),
    );
  });
};
