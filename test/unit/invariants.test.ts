import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { typeModels } from '../../infra/generate/fhirpath/type-model.ts';
import { corrected, leftOut, writtenByHand } from '../../infra/generate/invariant-decisions.ts';
import { generateInvariantDocs, generateInvariants } from '../../infra/generate/invariants.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import type { ComplexSchema } from '../../shared/fhir/complex-type.ts';
import { invariants } from '../../shared/fhir/generated/invariants/all.ts';
import { datatypeInvariants } from '../../shared/fhir/generated/invariants/datatypes.ts';
import { schemas } from '../../shared/fhir/generated/schemas/all.ts';
import type { ValidationIssue } from '../../shared/fhir/validation-issue.ts';
import { evaluate } from '../support/fhirpath-evaluator.ts';
import { broken, brokenVariants } from '../support/resources/broken-variants.ts';
import { absent, quantity, reference } from '../support/resources/datatypes.ts';
import { sample, sampleResources } from '../support/resources/index.ts';

const check = (resource: fhir4.FhirResource): ValidationIssue[] => {
  const own = invariants[resource.resourceType];
  if (own === undefined) throw new Error(`no invariants of ${resource.resourceType}`);
  return checkInvariants(schemas[resource.resourceType], own, resource);
};

const keysOf = (issues: readonly ValidationIssue[]): string[] =>
  [...new Set(issues.map(({ message }) => message.slice(0, message.indexOf(':'))))].sort();

/** Where backbone elements recur below themselves or are declared by reference to another. */
const recurring: Readonly<Record<string, string>> = {
  'Questionnaire.item': 'Questionnaire.repeat(item)',
  'Questionnaire.item.enableWhen': 'Questionnaire.repeat(item).enableWhen',
  'QuestionnaireResponse.item': 'QuestionnaireResponse.repeat(item | answer)',
  'Composition.section': 'Composition.repeat(section)',
  'Observation.referenceRange': '(Observation.referenceRange | Observation.component.referenceRange)',
};

const everywhere = new Set(['ele-1', 'ext-1', 'dom-2', 'dom-3', 'dom-4', 'dom-5', 'dom-6']);

/** The evaluator refuses the patterns of these two, and cannot resolve references. */
const unreadable = new Set(['eld-19', 'eld-20', 'ctm-1']);

/** By key: the expressions of the elements that a resource has, of which the rule must hold. */
const published = (resourceType: string): { key: string; elements: string; expression: string }[] => {
  const rules: { key: string; elements: string; expression: string }[] = [
    {
      key: 'ext-1',
      // the evaluator has no type for extensions
      elements: `(${resourceType}.extension | ${resourceType}.descendants().extension)`,
      expression: 'extension.exists() != value.exists()',
    },
  ];
  for (const [name, model] of typeModels()) {
    const [root = ''] = name.split('.');
    const kind = typeModels().get(root)?.kind;
    const isDatatype = kind === 'complex' && !['SimpleQuantity', 'MoneyQuantity', 'Element'].includes(root);
    if (root !== resourceType && !isDatatype) continue;
    const locate = (path: string): string => {
      const known = recurring[path] ?? path.replace('[x]', '');
      return isDatatype ? known.replace(root, `${resourceType}.descendants().ofType(${root})`) : known;
    };
    const own = name.includes('.') ? [] : model.constraints.map((constraint) => ({ constraint, path: name }));
    const below = [...model.elements.values()].flatMap(({ path, constraints }) =>
      constraints.map((constraint) => ({ constraint, path })),
    );
    for (const { constraint, path } of [...own, ...below]) {
      const { key } = constraint;
      if (everywhere.has(key) || key in leftOut || key in writtenByHand || unreadable.has(key)) continue;
      rules.push({ key, elements: locate(path), expression: corrected[key]?.expression ?? constraint.expression });
    }
  }
  return rules;
};

/** Keys of the rules that an independent evaluator finds broken. */
const evaluatedKeys = (resource: fhir4.FhirResource): string[] => {
  const failed = published(resource.resourceType).filter(
    ({ elements, expression }) => evaluate(resource, `${elements}.where((${expression}) = false)`).length > 0,
  );
  return [...new Set(failed.map(({ key }) => key))].sort();
};

// out of the evaluator's reach: a rule about a profile, resolve(), and what is not compiled from its expression
const notEvaluated = new Set(['sqty-1', 'ctm-1', 'ref-1', 'dom-2', 'dom-3', 'dom-4', 'dom-5']);

/** Every complex element that a schema reaches, as `Observation.component.code: CodeableConcept`. */
const reached = (schema: Pick<ComplexSchema, 'typeName' | 'childOf'>, found = new Map<string, string>()) => {
  for (const { properties } of typeModels().get(schema.typeName)?.elements.values() ?? []) {
    for (const { property, type, profile } of properties) {
      const place = `${schema.typeName}.${property}: ${profile ?? type}`;
      const kind = typeModels().get(type)?.kind;
      if (found.has(place) || kind === 'primitive' || kind === 'resource') continue;
      const child = schema.childOf(property);
      found.set(place, `${schema.typeName}.${property}: ${child?.typeName}`);
      if (child) reached(child, found);
    }
  }
  return found;
};

describe('the schema of a type', () => {
  it.each(Object.entries(schemas))('tells the type of each element of %s, so that its rules are found', (_, schema) => {
    const found = reached(schema);

    expect([...found.values()]).toEqual([...found.keys()]);
    expect(found.size).toBeGreaterThan(20);
  });
});

describe('checkInvariants', () => {
  it.each(sampleResources.map((resource, index) => [`${index} ${resource.resourceType}`, resource] as const))(
    'finds nothing wrong with valid sample %s',
    (_, resource) => {
      expect(check(resource)).toEqual([]);
    },
  );

  it.each(brokenVariants)('finds %s broken at %s, and nothing else', (key, expression, resource) => {
    const issues = check(resource);

    expect(issues.map((issue) => [issue.message.split(':')[0], issue.expression])).toEqual([[key, expression]]);
    expect(issues[0]).toMatchObject({ code: 'invariant', severity: key === 'con-3' ? 'warning' : 'error' });
  });

  it.each(brokenVariants.filter(([key]) => !notEvaluated.has(key)))(
    'agrees with an independent evaluator about broken %s at %s',
    (key, _, resource) => {
      expect(evaluatedKeys(resource)).toEqual([key]);
    },
  );

  it.each([...new Set(sampleResources.map(({ resourceType }) => resourceType))])(
    'agrees with an independent evaluator about valid samples of %s',
    (type) => {
      const resources = sampleResources.filter(({ resourceType }) => resourceType === type);

      expect(resources.map(evaluatedKeys)).toEqual(resources.map((resource) => keysOf(check(resource))));
    },
  );

  it('says which rule in words, and nothing of the record', () => {
    const [issue] = check(
      broken('Organization', (it) => {
        it.telecom = [{ use: 'home', value: 'a secret', system: 'phone' }];
      }),
    );

    expect(issue).toEqual({
      severity: 'error',
      code: 'invariant',
      expression: 'Organization.telecom[0]',
      message: "org-3: The telecom of an organization can never be of use 'home'",
    });
  });

  it('counts an element that has only extensions as there', () => {
    const observation = broken(
      'Observation',
      (it) => {
        it.referenceRange = [{ _text: absent }];
      },
      'bp',
    );

    expect(check(observation)).toEqual([]);
  });

  it('does not refuse what cannot be compared: dates of different precision, quantities of different units', () => {
    const observation = broken(
      'Observation',
      (it) => {
        it.effectivePeriod = { start: '2024-01-15', end: '2024-01' };
        it.referenceRange = [{ text: 'x', age: { low: quantity(18, 'mo'), high: quantity(2, 'a') } }];
      },
      'bp',
    );

    expect(check(observation)).toEqual([]);
  });

  it('lets a contained resource refer to its container instead of being referred to', () => {
    const contained: fhir4.Provenance = { ...sample('Provenance'), id: 'why', target: [reference('#')] };

    expect(
      check(
        broken(
          'Observation',
          (it) => {
            it.contained = [contained];
          },
          'bp',
        ),
      ),
    ).toEqual([]);
  });

  it('never throws, whatever a schema lets pass is missing', () => {
    const withoutSome = (value: unknown, keep: () => boolean): unknown => {
      if (Array.isArray(value)) return value.map((item) => withoutSome(item, keep));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).flatMap(([key, item]) =>
          key === 'resourceType' || keep() ? [[key, withoutSome(item, keep)]] : [],
        ),
      );
    };

    fc.assert(
      fc.property(
        fc.constantFrom(...sampleResources),
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        (resource, dice) => {
          const remains = withoutSome(resource, () => dice.next().value !== 0) as fhir4.FhirResource;
          expect(Array.isArray(check(remains))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('does not exhaust the stack on extensions nested 20,000 deep', () => {
    let nested: fhir4.Extension = { url: 'http://example.org/x', valueBoolean: true };
    for (let depth = 0; depth < 20_000; depth += 1) nested = { url: 'http://example.org/x', extension: [nested] };

    expect(
      check({ resourceType: 'Patient', extension: [nested], contained: [{ resourceType: 'Basic', id: 'x' }] }),
    ).toMatchObject([{ expression: 'Patient.contained[0]' }]);
  });
});

describe('what is told of broken rules', () => {
  it('is fifty errors and fifty warnings at most', () => {
    const definition = broken('StructureDefinition', (it) => {
      const [first] = it.snapshot?.element ?? it.differential?.element ?? [];
      if (!first) throw new Error('a sample without elements');
      it.differential = {
        element: Array.from({ length: 60 }, (_, index) => ({
          ...first,
          id: `x${index}`,
          isModifier: true, // for which eld-18 wants a reason
          constraint: [{ key: 'x-1', severity: 'error', human: 'A rule in words alone, of which eld-21 warns' }],
        })),
      };
    });

    const issues = check(definition);

    const count = (severity: string) => issues.filter((issue) => issue.severity === severity).length;
    expect([count('error'), count('warning')]).toEqual([50, 50]);
  });
});

describe('generated invariants', () => {
  const all = [datatypeInvariants, ...Object.values(invariants)].flatMap((byType) => Object.values(byType).flat());

  it('hold every rule of R4 that is not left out with a reason', () => {
    const stated = [...typeModels()].flatMap(([, { constraints, elements }]) => [
      ...constraints,
      ...[...elements.values()].flatMap((element) => element.constraints),
    ]);
    const held = new Set([...all.map(({ key }) => key), ...Object.keys(writtenByHand)]);
    const missing = [...new Set(stated.map(({ key }) => key))].filter((key) => !held.has(key) && !(key in leftOut));

    // a profile on Quantity that no element of R4 asks for
    expect(missing).toEqual(['mqty-1']);
  });

  it('are documented, each with whether it holds', () => {
    const docs = generateInvariantDocs();

    expect(docs).toContain('| obs-6 | `Observation` | error |');
    expect(docs).toMatch(/\| dom-6 \|.*\| yes; by hand: told by /);
    expect(docs).toMatch(/\| ele-1 \|.*\| no: /);
    expect(docs).toMatch(/\| con-3 \|.*\| yes; as published /);
    for (const { key } of all) expect(docs).toContain(`| ${key} |`);
  });

  it('come one file per type, none of which imports another type', () => {
    const file = generateInvariants()['invariants/Observation.ts'] ?? '';
    const imports = [...file.matchAll(/from '([^']+)'/g)].map((match) => match[1]);

    expect(imports).toEqual(['../../fhirpath-runtime.ts', '../../invariant.ts']);
  });
});

describe('rules of long lists', () => {
  it('are checked of 600,000 elements: these are no arguments of one call', () => {
    const names = Array.from({ length: 600_000 }, () => ({ family: 'a' }));

    const issues = check({ resourceType: 'Patient', name: names, contact: [{ relationship: [{ text: 'a friend' }] }] });

    expect(keysOf(issues)).toEqual(['pat-1']);
  });
});
