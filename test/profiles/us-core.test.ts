import { describe, expect, it } from 'vitest';
import { ruleCorrected, ruleLeftOut } from '../../infra/generate/rule-decisions.ts';
import { type KeptProfile, keptGuide } from '../../infra/generate/us-core-profiles.ts';
import { RecordError } from '../../shared/errors.ts';
import type { ValidationIssue } from '../../shared/fhir/validation-issue.ts';
import { parseBody } from '../../shared/interactions/parse-body.ts';
import { checkClaims } from '../../shared/profiles/check-claims.lazy.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { type Broken, brokenBy } from '../support/broken-by-profile.ts';
import { brokenRules, changed } from '../support/broken-us-core-rules.ts';
import { evaluate } from '../support/fhirpath-evaluator.ts';
import { usCoreResources } from '../support/us-core-resources.ts';

type Json = Record<string, unknown>;

const base = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const nameOf = (url: string): string => url.slice(base.length);
const profiles = keptGuide().profiles;
const ofResources = profiles.filter(({ type }) => type !== 'Extension');
const claiming = (name: string, resource: Json): Json => ({ ...resource, meta: { profile: [`${base}${name}|6.1.0`] } });
const types = new Map([...recordTypes, ...otherRecordTypes].map((type) => [type.name, type]));

/** What R4 refuses of a resource; nothing if R4 accepts it. */
const refusedByR4 = (resource: Json): readonly { expression?: string }[] => {
  const type = types.get(String(resource.resourceType));
  if (!type) throw new Error('no such type');
  try {
    parseBody(type, resource);
    return [];
  } catch (error) {
    if (error instanceof RecordError) return error.details;
    throw error;
  }
};

const issuesOf = (resource: Json): Promise<ValidationIssue[]> =>
  checkClaims(resource as unknown as fhir4.Resource, { strict: false });

const errorsIn = (issues: readonly ValidationIssue[]) => issues.filter(({ severity }) => severity === 'error');

const withoutIndexes = (expression: string): string => expression.replaceAll(/\[\d+\]/g, '');

describe('a resource that meets its profile', () => {
  it('is there for each profile of US Core', () => {
    expect(Object.keys(usCoreResources).sort()).toEqual(ofResources.map(({ url }) => nameOf(url)).sort());
    expect(ofResources).toHaveLength(49);
  });

  it.each(Object.keys(usCoreResources))('%s is accepted', async (name) => {
    const resource = claiming(name, usCoreResources[name] ?? {});

    expect(refusedByR4(resource)).toEqual([]);
    expect(errorsIn(await issuesOf(resource))).toEqual([]);
  });

  it('takes a given name whose text is not known for a name, and then wants no reason beside it', async () => {
    const reason = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }];
    const named = (name: Json) =>
      changed(claiming('us-core-patient', usCoreResources['us-core-patient'] ?? {}), 'name', [name]);

    const unreadable = named({ _given: [{ extension: reason }] });
    const both = named({ family: 'Sample', extension: reason });

    expect(refusedByR4(unreadable)).toEqual([]);
    expect(errorsIn(await issuesOf(unreadable))).toEqual([]);
    expect(errorsIn(await issuesOf(both))).toMatchObject([{ code: 'invariant', expression: 'Patient.name[0]' }]);
  });
});

describe('a profile that is based on one that is not held', () => {
  it('is checked, and tells whose rules could not be', async () => {
    const name = 'us-core-questionnaireresponse';

    const issues = await issuesOf(claiming(name, usCoreResources[name] ?? {}));

    expect(issues).toMatchObject([{ severity: 'information', code: 'invariant', expression: 'QuestionnaireResponse' }]);
    expect(issues[0]?.message).toContain('http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse');
  });

  it('asks what US Core repeats of that one', async () => {
    const name = 'us-core-questionnaireresponse';
    const { authored: _authored, questionnaire: _q, _questionnaire, ...rest } = usCoreResources[name] ?? {};

    expect(errorsIn(await issuesOf(claiming(name, rest))).map(({ expression }) => expression)).toEqual([
      'QuestionnaireResponse.questionnaire',
      'QuestionnaireResponse.authored',
    ]);
  });
});

/** Breaks a resource in every way that its profile knows, and tells what was not refused, or without naming the element. */
const missedOf = async (variants: readonly Broken[]): Promise<{ missed: string[]; byProfile: number }> => {
  const missed: string[] = [];
  let byProfile = 0;
  for (const { what, path, resource } of variants) {
    const byR4 = refusedByR4(resource);
    if (byR4.length === 0) byProfile += 1;
    const errors = byR4.length > 0 ? byR4 : errorsIn(await issuesOf(resource));
    const named = errors.map(({ expression = '' }) => withoutIndexes(expression));
    // what tells a slice is missed where the slice should be, and R4 names the address in a reference
    const isNamed = (each: string) =>
      each.includes('.') && (`${path}.`.startsWith(`${each}.`) || each === `${path}.reference`);
    if (!named.some(isNamed)) missed.push(`${what}: ${named.join(', ')}`);
  }
  return { missed, byProfile };
};

const variantsOf = ({ url, ...profile }: KeptProfile): Broken[] =>
  brokenBy({ url, ...profile }, claiming(nameOf(url), usCoreResources[nameOf(url)] ?? {}));

describe('a resource of which one element is not as its profile asks', () => {
  it.each(ofResources.map(({ url, ...profile }) => ({ name: nameOf(url), url, ...profile })))(
    'of $name is refused with the element named',
    async (profile) => {
      const variants = variantsOf(profile);
      const { missed } = await missedOf(variants);

      expect(variants).not.toEqual([]);
      expect(missed).toEqual([]);
    },
  );

  it('is one that R4 alone accepts, in most of the variants', async () => {
    const { byProfile } = await missedOf(ofResources.flatMap(variantsOf));

    expect(byProfile).toBeGreaterThan(350);
  });
});

/** Extensions that US Core's profiles name, with the resource that has them here. */
const extensions: readonly [name: string, host: string][] = [
  ['us-core-race', 'us-core-patient'],
  ['us-core-ethnicity', 'us-core-patient'],
  ['us-core-tribal-affiliation', 'us-core-patient'],
  ['us-core-birthsex', 'us-core-patient'],
  ['us-core-sex', 'us-core-patient'],
  ['us-core-genderIdentity', 'us-core-patient'],
  ['us-core-extension-questionnaire-uri', 'us-core-questionnaireresponse'],
];

/** The first object in a resource that has an address. */
const extensionIn = (value: unknown, url: string): Json | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  if ((value as Json)['url'] === url) return value as Json;
  for (const member of Object.values(value)) {
    const found = extensionIn(member, url);
    if (found) return found;
  }
  return undefined;
};

describe('an extension that is not as its own profile asks', () => {
  it.each(extensions)('%s of %s is refused with the element named', async (name, host) => {
    const profile = profiles.find(({ url }) => url === `${base}${name}`);
    if (!profile) throw new Error('no such profile');
    const resource = claiming(host, usCoreResources[host] ?? {});
    const variants = brokenBy(profile, resource, (whole) => extensionIn(whole, profile.url) ?? {})
      // another address makes it another extension
      .filter(({ path }) => path !== 'Extension.url');
    const missed: string[] = [];
    for (const { what, path, resource: broken } of variants) {
      const end = path.replace('Extension', 'extension');
      const errors = refusedByR4(broken).length > 0 ? refusedByR4(broken) : errorsIn(await issuesOf(broken));
      const named = errors.map(({ expression = '' }) => withoutIndexes(expression));
      if (!named.some((each) => each.endsWith(end) || `${end}.`.includes(`${each.split('.').slice(1).join('.')}.`)))
        missed.push(`${what}: ${named.join(', ')}`);
    }

    expect(variants).not.toEqual([]);
    expect(missed).toEqual([]);
  });

  it('may not come more often than the profile of the resource allows', async () => {
    const resource = structuredClone(claiming('us-core-patient', usCoreResources['us-core-patient'] ?? {}));
    const held = resource['extension'] as Json[];
    held.push(structuredClone(held[0] ?? {}));

    expect(errorsIn(await issuesOf(resource))).toMatchObject([{ expression: 'Patient.extension' }]);
  });
});

describe('a rule between elements', () => {
  it.each(brokenRules)('%s of %s is refused when broken by %s', async (key, profile, path, value, expression) => {
    const resource = changed(claiming(profile, usCoreResources[profile] ?? {}), path, value);

    const errors = errorsIn(await issuesOf(resource));

    expect(refusedByR4(resource)).toEqual([]);
    expect(errors.filter(({ message }) => message.startsWith(`${key}:`))).toMatchObject([{ expression }]);
  });

  it('is tested for each that refuses', () => {
    const keys = profiles.flatMap(({ elements }) =>
      elements.flatMap(({ rules = [] }) => rules.flatMap(({ key, severity }) => (severity === 'error' ? [key] : []))),
    );
    const tested = new Set(brokenRules.map(([key]) => key));

    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key) => !tested.has(key) && ruleLeftOut[key] === undefined)).toEqual([]);
  });

  it('about a whole resource comes to the same as in an evaluator of FHIRPath', async () => {
    const compared = profiles.flatMap(({ url, type, elements }) =>
      elements
        .filter(({ id }) => id === type)
        .flatMap(({ rules = [] }) => rules)
        .filter(({ key }) => ruleCorrected[key] === undefined && ruleLeftOut[key] === undefined)
        .map(({ key, expression }) => ({ name: nameOf(url), key, expression })),
    );
    for (const { name, key, expression } of compared) {
      const valid = usCoreResources[name] ?? {};
      const variants = brokenRules
        .filter(([, profile]) => profile === name)
        .map(([, , path, value]) => changed(valid, path, value));
      for (const resource of [valid, ...variants]) {
        const issues = await issuesOf(claiming(name, resource));
        const holds = !issues.some(({ message }) => message.startsWith(`${key}:`));
        expect([name, key, evaluate(resource, expression)]).toEqual([name, key, [holds]]);
      }
    }
    expect(compared.length).toBeGreaterThan(10);
  });

  it('about the check digit of an NPI comes to the same as its published expression', async () => {
    const published = profiles
      .flatMap(({ elements }) => elements.flatMap(({ rules = [] }) => rules))
      .find(({ key }) => key === 'us-core-17');
    const numbers = Array.from({ length: 60 }, (_, index) =>
      String(1_245_319_590 + index * 16_777_213).padStart(10, '0'),
    );
    const kept: string[] = [];
    for (const value of numbers) {
      const [holds] = evaluate({ value }, published?.expression ?? '');
      const resource = changed(
        claiming('us-core-practitioner', usCoreResources['us-core-practitioner'] ?? {}),
        'identifier[0].value',
        value,
      );
      const refused = errorsIn(await issuesOf(resource)).some(({ message }) => message.startsWith('us-core-17:'));
      expect([value, !refused]).toEqual([value, holds]);
      if (!refused) kept.push(value);
    }
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(numbers.length);
  });

  it('takes an extension in the place of a name that is not known', async () => {
    const unknown = {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
    };
    const resource = changed(claiming('us-core-patient', usCoreResources['us-core-patient'] ?? {}), 'name', [unknown]);

    expect(errorsIn(await issuesOf(resource))).toEqual([]);
  });
});
