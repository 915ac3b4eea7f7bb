import { RecordError } from '../../errors.ts';
import { withSpellingOf } from '../../fhir/json.ts';
import { invalidParameter } from '../../search/refusal.ts';
import type { CodeSystem, Concept } from '../../terminology/code-system.ts';
import { definitionOf } from '../../terminology/concept-definitions.ts';
import { displayOf, isOfLanguage } from '../../terminology/displays.ts';
import type { Interaction } from '../context.ts';
import { askedCodeSystem, codeSystemInput, readTermsInput } from './asked.ts';
import { withTerms } from './open-terms.ts';

export const lookupInput = {
  ...codeSystemInput,
  code: { type: 'code' },
  system: { type: 'uri' },
  coding: { type: 'Coding' },
  displayLanguage: { type: 'code' },
  property: { type: 'code', many: true },
} as const;

/**
 * `CodeSystem/$lookup`: what is known of a code. https://hl7.org/fhir/R4/codesystem-operation-lookup.html
 *
 * @throws RecordError `not-found` for a code system that is not known, or a code that it does not have.
 */
export const lookUp: Interaction = async (context) => {
  const asked = readTermsInput(context, lookupInput);
  const { coding, displayLanguage, property } = asked;
  if (coding && asked.code !== undefined) throw invalidParameter('code', 'The operation takes a code or a coding');
  if (coding && asked.system !== undefined) throw invalidParameter('system', 'A coding has a system of its own');
  const { code, system, version = asked.version } = coding ?? { code: asked.code, system: asked.system };
  if (code === undefined) throw invalidParameter(coding ? 'coding' : 'code', 'The operation needs a code');
  if (system === undefined) throw invalidParameter(coding ? 'coding' : 'system', 'A code needs its system');
  const parameter = coding ? 'coding' : 'system';
  return withTerms(context, parameter, async (terms) => {
    const codeSystem = await askedCodeSystem(context, terms, '', { parameter, url: system }, { version });
    const concept = codeSystem.find(code);
    if (!concept) {
      throw new RecordError(
        'not-found',
        codeSystem.complete
          ? 'The code system has no such code'
          : 'The part of the code system that is here has no such code',
        { expression: coding ? 'coding' : 'code' },
      );
    }
    const { name, title, version: used } = codeSystem.definition;
    const definition = definitionOf(codeSystem, concept);
    const wanted = new Set<string>(property);
    const tells = (each: string): boolean => wanted.size === 0 || wanted.has(each);
    const designations = (definition.designation ?? []).filter(
      ({ language }) =>
        tells('designation') ||
        property.some((each) => each.startsWith('lang.') && isOfLanguage(language, each.slice(5))),
    );
    const resource: fhir4.Parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'name', valueString: name ?? title ?? codeSystem.url },
        ...(used === undefined ? [] : [{ name: 'version', valueString: used }]),
        { name: 'display', valueString: displayOf([definition], displayLanguage) ?? concept.code },
        ...designations.map(designationOf),
        ...propertiesOf(codeSystem, concept)
          .filter(([each]) => tells(each))
          .map(propertyOf),
      ],
    };
    return { statusCode: 200, resource };
  });
};

type Value = Omit<fhir4.ParametersParameter, 'name' | 'part' | 'resource'>;
type Property = readonly [code: string, value: Value, description?: string | undefined];

const designationOf = ({ language, use, value }: fhir4.CodeSystemConceptDesignation): fhir4.ParametersParameter => ({
  name: 'designation',
  part: [
    ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
    ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
    { name: 'value', valueString: value },
  ],
});

const propertyOf = ([code, value, description]: Property): fhir4.ParametersParameter => ({
  name: 'property',
  part: [
    { name: 'code', valueCode: code },
    withSpellingOf({ name: 'value', ...value }, value),
    ...(description === undefined ? [] : [{ name: 'description', valueString: description }]),
  ],
});

/** Told of every code, in whatever way its code system says it. https://hl7.org/fhir/R4/terminology-service.html#standard-props */
const standard: ReadonlySet<string> = new Set(['parent', 'child', 'inactive']);

const propertiesOf = (codeSystem: CodeSystem, concept: Concept): Property[] => {
  const { definition, property = [] } = definitionOf(codeSystem, concept);
  const related = (code: string, others: readonly string[]): Property[] =>
    others.map((other) => [code, { valueCode: other }, codeSystem.concepts.get(other)?.display]);
  const children = [...codeSystem.concepts.values()].filter(({ parents }) => parents.has(concept.code));
  return [
    ...(definition === undefined ? [] : [['definition', { valueString: definition }] as const]),
    ...related('parent', [...concept.parents]),
    ...related(
      'child',
      children.map(({ code }) => code),
    ),
    ['inactive', { valueBoolean: concept.inactive }],
    ...property.flatMap((each): Property[] => {
      const { code, ...value } = each;
      return standard.has(code) ? [] : [[code, withSpellingOf(value, each)]];
    }),
  ];
};
