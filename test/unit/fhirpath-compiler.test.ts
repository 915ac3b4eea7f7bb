import { describe, expect, it } from 'vitest';
import type { Branch } from '../../infra/generate/fhirpath/compile.ts';
import { Compiler, UnsupportedExpression } from '../../infra/generate/fhirpath/compile.ts';
import { parse } from '../../infra/generate/fhirpath/parse.ts';
import { typeModels, typescriptType } from '../../infra/generate/fhirpath/type-model.ts';
import * as runtime from '../../shared/fhir/fhirpath-runtime.ts';
import { evaluate } from '../support/fhirpath-evaluator.ts';
import { absent, quantity } from '../support/resources/datatypes.ts';
import { sample, sampleResources } from '../support/resources/index.ts';

const scopeOf = (type: string): { self: Branch; constants: Record<string, Branch> } => {
  const self: Branch = { type, code: 'resource', many: false, definite: true };
  return { self, constants: { resource: self, context: self } };
};

const compiled = (type: string, expression: string): ReturnType<Compiler['compile']> =>
  new Compiler(typeModels()).compile(parse(expression), scopeOf(type));

const truthOf = (type: string, expression: string): { isTrue: string; isNotFalse: string } =>
  new Compiler(typeModels()).truth(parse(expression), scopeOf(type));

/** Runs compiled code with nothing in reach but the runtime and the resource. */
const run = (code: string, resource: unknown): unknown =>
  // oxlint-disable-next-line typescript/no-implied-eval -- the code under test
  new Function('resource', ...Object.keys(runtime), `return ${code};`)(resource, ...Object.values(runtime)) as unknown;

/** What a compiled expression gives, as FHIRPath would: a list, empty if there is nothing. */
const result = (resource: fhir4.FhirResource, expression: string): unknown[] => {
  const found = compiled(resource.resourceType, expression);
  if (found.kind === 'truth') {
    if (run(found.isTrue, resource) === true) return [true];
    return run(found.isNotFalse, resource) === true ? [] : [false];
  }
  return found.branches.flatMap((branch) => {
    const value = run(branch.code, resource);
    return runtime.union<unknown>(value);
  });
};

const expressions: readonly (readonly [type: fhir4.FhirResource['resourceType'], expression: string])[] = [
  ['Patient', 'name.given'],
  ['Patient', 'Patient.name[0].family'],
  ['Patient', "name.where(use = 'maiden').given"],
  ['Patient', "telecom.where(system = 'phone' and use.exists()).value"],
  ['Patient', "telecom.where(system = 'fax').exists()"],
  ['Patient', "telecom.exists(system = 'email')"],
  ['Patient', 'birthDate.exists()'],
  ['Patient', 'birthDate.hasValue()'],
  ['Patient', 'name.family.count()'],
  ['Patient', 'name.given.count() > 2'],
  ['Patient', 'deceased is dateTime'],
  ['Patient', 'deceased.is(boolean)'],
  ['Patient', 'deceased.exists() and deceased != false'],
  ['Patient', 'deceased.ofType(dateTime)'],
  ['Patient', '(deceased as boolean)'],
  ['Patient', "gender in ('male' | 'female')"],
  ['Patient', "gender in ('male' | 'other')"],
  ['Patient', "('male' | 'female') contains gender"],
  ['Patient', "language in ('en' | 'de')"],
  ['Patient', "language = 'en'"],
  ['Patient', "language != 'en'"],
  ['Patient', "(language = 'en').not()"],
  ['Patient', "language = 'en' and active"],
  ['Patient', "language = 'en' and active.not()"],
  ['Patient', "language = 'en' or active"],
  ['Patient', "language = 'en' or active = false"],
  ['Patient', "active implies language = 'en'"],
  ['Patient', "language = 'en' implies active"],
  ['Patient', 'active xor gender.exists()'],
  ['Patient', 'active xor birthDate.empty()'],
  ['Patient', "active.exists() = (gender = 'female')"],
  ['Patient', 'name.all(family.exists())'],
  ['Patient', 'name.all(use.exists())'],
  ['Patient', 'photo.all(url.exists())'],
  ['Patient', "gender.startsWith('fe')"],
  ['Patient', "gender.matches('^m')"],
  ['Patient', "language.startsWith('e')"],
  ['Patient', "gender.contains('mal')"],
  ['Patient', "name.first().family & '-' & gender"],
  ['Patient', "gender.replaceMatches('[aeiou]', '.')"],
  ['Patient', 'gender.substring(2)'],
  ['Patient', 'gender.substring(20)'],
  ['Patient', 'address.tail().city'],
  ['Patient', 'name.select(family)'],
  ['Patient', 'name.given.isDistinct()'],
  ['Patient', 'communication.language.coding.code.isDistinct()'],
  ['Patient', "extension('http://example.org/nested').extension.value"],
  ['Patient', "identifier.where(system = 'http://example.org/ids' or system = 'http://example.org/other').value"],
  ['Patient', 'descendants().linkId.empty()'],
  ['Patient', "trace('x').active"],
  ['Patient', 'iif(active, gender.exists(), false)'],
  ['Patient', 'iif(active.not(), gender.exists())'],
  ['Observation', 'value'],
  ['Observation', '(value as Quantity).value'],
  ['Observation', 'value.ofType(Quantity).value > 100'],
  ['Observation', 'component.value.ofType(Quantity).code'],
  ['Observation', 'component.code.coding.intersect(%resource.code.coding).exists()'],
  ['Observation', 'effective.ofType(Period).start <= effective.ofType(Period).end'],
  ['Observation', 'effective.ofType(Period).start > effective.ofType(Period).end'],
  ['Observation', 'component.code.text | code.text'],
  ['Observation', 'referenceRange.text.count() + component.count()'],
  ['Observation', 'component.where(value.exists()).code.text'],
  ['RiskAssessment', 'prediction.where((probability as decimal) <= 100).outcome.text'],
];

describe('compiled FHIRPath', () => {
  it.each(expressions)('%s: %s gives what an independent evaluator gives', (type, expression) => {
    for (const resource of sampleResources.filter(({ resourceType }) => resourceType === type)) {
      expect(result(resource, expression)).toEqual(evaluate(resource, expression));
    }
  });

  it('carries the FHIR datatype of each possible result', () => {
    const values = compiled('Observation', 'component.value');
    const names = compiled('Patient', 'name.given');
    const resolved = compiled('Observation', 'subject.where(resolve() is Patient)');

    expect(values.kind === 'collection' && values.branches.map(({ type, many }) => [type, many])).toEqual(
      [
        'Quantity',
        'CodeableConcept',
        'string',
        'boolean',
        'integer',
        'Range',
        'Ratio',
        'SampledData',
        'time',
        'dateTime',
        'Period',
      ].map((type) => [type, true]),
    );
    expect(names.kind === 'collection' && names.branches).toMatchObject([{ type: 'string', many: true }]);
    expect(resolved.kind === 'collection' && resolved.branches).toMatchObject([{ type: 'Reference', many: false }]);
  });

  it('reads like code that a person would write', () => {
    expect(truthOf('Observation', 'dataAbsentReason.empty() or value.empty()').isNotFalse).toBe(
      "(empty(resource.dataAbsentReason) || !hasChoice(resource, 'value'))",
    );
    expect(truthOf('Patient', "gender = 'male' implies active").isTrue).toBe(
      "((resource.gender ?? 'male') !== 'male' || resource.active === true)",
    );
    expect(compiled('Patient', "telecom.where(system = 'email').value")).toMatchObject({
      branches: [
        {
          code: "select(where(resource.telecom, (telecom) => telecom.system === 'email'), (telecom) => telecom.value)",
        },
      ],
    });
  });

  it('counts a primitive that has only extensions as existing, but without a value', () => {
    const patient: fhir4.Patient = { resourceType: 'Patient', _birthDate: absent, name: [{ _family: absent }] };

    expect(result(patient, 'birthDate.exists()')).toEqual([true]);
    expect(result(patient, 'birthDate.hasValue()')).toEqual([false]);
    expect(result(patient, 'name.family.exists()')).toEqual([true]);
    expect(result(patient, 'name.family')).toEqual([]);
  });

  it('finds no choice in another element whose name begins alike', () => {
    const parameter = truthOf('Parameters', 'parameter.all(value.exists())');
    const element: fhir4.Parameters = { resourceType: 'Parameters', parameter: [{ name: 'x', valueString: 'y' }] };

    expect(run(parameter.isTrue, element)).toBe(true);
    expect(run(parameter.isTrue, { parameter: [{ name: 'x', _valueDate: absent }] })).toBe(true);
    expect(run(parameter.isTrue, { parameter: [{ name: 'x', part: [] }] })).toBe(false);
  });

  it('compares quantities of one unit and leaves others undecided', () => {
    const range = (low: fhir4.Quantity, high: fhir4.Quantity): fhir4.Observation => ({
      ...sample('Observation'),
      valueRange: { low, high },
    });
    const expression = 'value.ofType(Range).low <= value.ofType(Range).high';

    expect(result(range(quantity(1, 'mg'), quantity(2, 'mg')), expression)).toEqual([true]);
    expect(result(range(quantity(3, 'mg'), quantity(2, 'mg')), expression)).toEqual([false]);
    expect(result(range(quantity(3, 'mg'), quantity(2, 'g')), expression)).toEqual([]);
  });

  it('knows the type of what a reference names only by the reference itself', () => {
    const observation = (subject: fhir4.Reference): fhir4.Observation => ({ ...sample('Observation'), subject });
    const expression = 'subject.where(resolve() is Patient).exists()';

    expect(result(observation({ reference: 'Patient/1' }), expression)).toEqual([true]);
    expect(result(observation({ reference: 'urn:uuid:1', type: 'Patient' }), expression)).toEqual([true]);
    expect(result(observation({ reference: 'urn:uuid:1' }), expression)).toEqual([false]);
    expect(result(observation({ reference: 'Group/1' }), expression)).toEqual([false]);
    expect(result(observation({ identifier: { value: 'x' }, display: 'Patient/1' }), expression)).toEqual([false]);
  });

  it.each([
    ['Patient', 'nothing', 'Patient has no nothing'],
    ['Patient', 'name.family.upper()', 'upper()'],
    ['Patient', '%unknown', '%unknown'],
    ['Patient', 'name.given > 1', 'a list where one value is needed'],
    ['Patient', 'gender > 1', 'the order of code'],
  ])('refuses %s: %s, saying what it does not translate', (type, expression, message) => {
    expect(() => compiled(type, expression)).toThrow(new UnsupportedExpression(message));
  });

  it('refuses a criterion that is not a boolean', () => {
    expect(() => truthOf('Patient', 'name.family')).toThrow(UnsupportedExpression);
    expect(() => parse('name.where(')).toThrow();
  });
});

describe('type models', () => {
  it('know cardinality, choices, backbone elements and references to other definitions', () => {
    const component = typeModels().get('Observation.component')?.elements;

    expect(component?.get('code')).toMatchObject({ many: false, choice: false });
    expect(component?.get('value')?.properties.map(({ property }) => property)).toContain('valueSampledData');
    expect(component?.get('referenceRange')).toMatchObject({
      many: true,
      properties: [{ type: 'Observation.referenceRange' }],
    });
    expect(typescriptType('Observation.component')).toBe('fhir4.ObservationComponent');
  });

  it('have no elements that the package of definitions adds to R4', () => {
    expect(typeModels().get('Meta')?.elements.has('project')).toBe(false);
    expect(typeModels().get('HealthcareService')?.elements.has('offeredIn')).toBe(false);
    expect(typeModels().has('ResearchStudy.recruitment')).toBe(false);
    expect(typeModels().has('SubscriptionStatus')).toBe(false);
  });
});
