import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileConsent } from '../../shared/access/compile-consent.ts';
import { labelsByCode } from '../../shared/access/derived-labels.ts';
import type { Directive } from '../../shared/access/directive.ts';
import { type Extent, extentOf } from '../../shared/access/extent.ts';
import { part2Label } from '../../shared/access/labels.ts';
import { sharingOf } from '../../shared/access/sharing.lazy.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { factsOfType } from '../../shared/record-types/subjects.ts';
import type { ModelConsent, ModelReader, ModelRecord } from '../support/access-model/consents.ts';
import { coding, concept, consents, reader, record } from '../support/access-model/worlds.ts';

const directivesOf = (given: readonly ModelConsent[]): Directive[] =>
  given.flatMap(({ custodian, consent }) => {
    const rule = compileConsent(consent, 'https://concord.test/fhir');
    return rule ? [{ custodian, rule }] : [];
  });

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
/** Labels that restrict nothing, as docs/access.md has them. */
const isHarmless = (label: string): boolean =>
  /\|(?:U|L|M|N|NORDSCLCD|TREAT|HTEST)$/.test(label) || label.includes('v3-ObservationValue');

interface World {
  readonly directives: readonly Directive[];
  readonly who: ModelReader;
  readonly what: ModelRecord;
  readonly related: 'yes' | 'perhaps' | 'no';
  readonly ofProgramme: boolean;
}

const derivedIn = ({ what, ofProgramme }: World): string[] => [
  ...labelsByCode()(what.resource as unknown as Resource | undefined),
  ...(ofProgramme ? [part2Label] : []),
];

/** The decision. */
const isShared = (world: World, areRelated: boolean): boolean => {
  const { directives, who, what } = world;
  const caller = { ...who, subject: 's', name: 'n', client: 'c', scopes: [], patient: undefined };
  const facts = {
    custodian: what.custodian,
    chart: 'chart',
    id: what.id,
    labels: what.labels.map(({ system, code }) => `${system}|${code}`),
    resource: what.resource as unknown as Resource | undefined,
  };
  const sharing = sharingOf(directives, who.now, { related: () => areRelated, derived: () => derivedIn(world) });
  return sharing?.({ ...caller, roles: ['nurse'] }, factsOfType(what.type), facts) !== undefined;
};

const extentFor = ({ directives, who, what, related, ofProgramme }: World, labels: readonly string[]): Extent =>
  extentOf(directives, {
    organization: who.organization,
    keeper: what.custodian,
    type: factsOfType(what.type),
    labels: [...new Set([...(ofProgramme ? [part2Label] : []), ...labels])],
    related,
    now: who.now,
  });

const consentOf = (provision?: fhir4.ConsentProvision, policy = 'OPTIN'): fhir4.Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: concept('consentscope', 'patient-privacy'),
  category: [{ text: 'privacy' }],
  policyRule: concept('v3-ActCode', policy),
  ...(provision ? { provision } : {}),
});

const labelled = (codes: readonly string[]) =>
  consentOf({ securityLabel: codes.map((code) => coding('v3-ActCode', code)) });

const world: fc.Arbitrary<World> = fc
  .record({
    given: consents,
    who: reader,
    what: record,
    related: fc.constantFrom('yes' as const, 'no' as const, 'no' as const, 'perhaps' as const),
    ofProgramme: fc.constantFrom(true, false, false, false),
    // Most Consents close more than they open, and few name what a record bears.
    others: fc.nat(3),
    opener: fc.option(
      fc.subarray(['PSY', 'ETHUD', 'SUD', 'COGN', 'HIV', 'ETH', '42CFRPart2'], { minLength: 1 }).map(labelled),
      { nil: undefined },
    ),
  })
  .map(({ given, others, opener, ...rest }) => ({
    ...rest,
    directives: directivesOf([
      ...given.slice(0, others),
      ...(opener ? [{ custodian: rest.what.custodian, consent: opener }] : []),
    ]),
  }));

describe('how much is shared of a kind of records', () => {
  it('agrees with the decision about each record of that kind', () => {
    const seen = { all: 0, allLabelled: 0, none: 0, noneOfOpen: 0, someShared: 0, someNot: 0 };
    fc.assert(
      fc.property(world, fc.boolean(), (each, either) => {
        const { what, related } = each;
        const borne = new Set([...what.labels.map(({ system, code }) => `${system}|${code}`), ...derivedIn(each)]);
        const sensitive = [...borne].filter((label) => !isHarmless(label));
        // What a programme keeps bears its label, and may bear another one.
        const others = each.ofProgramme ? sensitive.filter((label) => label !== part2Label) : sensitive;
        const shared = isShared(each, related === 'yes' || (related === 'perhaps' && either));

        const extents = (others.length === 0 ? [[]] : others.map((label) => [label])).map((labels) =>
          extentFor(each, labels),
        );
        if (extents.includes('none')) expect(shared).toBe(false);
        if (others.length <= 1 && extents.includes('all')) expect(shared).toBe(true);

        const [extent] = extents;
        if (extent === 'some') seen[shared ? 'someShared' : 'someNot']++;
        else if (extent === 'all' && sensitive.length > 0) seen.allLabelled++;
        else if (extent) seen[extent]++;
        if (extent === 'none' && others.length > 0 && extentFor(each, []) !== 'none') seen.noneOfOpen++;
      }),
      { numRuns: 8_000, seed: 26 },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(20);
  });

  const hiv = `${hl7}v3-ActCode|HIV`;
  const extent = (given: readonly fhir4.Consent[], type = 'Observation', labels: readonly string[] = []) =>
    extentOf(directivesOf(given.map((consent) => ({ custodian: 'northside', consent }))), {
      organization: 'lakeside',
      keeper: 'northside',
      type: factsOfType(type),
      labels,
      related: 'no',
      now: Date.parse('2024-06-01'),
    });
  const actor = (reference: string): fhir4.ConsentProvisionActor => ({
    role: concept('v3-ParticipationType', 'IRCP'),
    reference: { reference },
  });
  const ofType = (code: string) => [{ system: 'http://hl7.org/fhir/resource-types', code }];

  it('is all of a type, and nothing of what is never shared, by an open Consent', () => {
    expect(extent([])).toBe('none');
    expect(extent([consentOf()])).toBe('all');
    expect(extent([consentOf()], 'Provenance')).toBe('some');
    expect(extent([consentOf()], 'Consent')).toBe('none');
    expect(extent([consentOf()], 'Observation', [hiv])).toBe('none');
    expect(extent([consentOf({ securityLabel: [coding('v3-ActCode', 'HIV')] })], 'Observation', [hiv])).toBe('all');
    expect(extent([consentOf({ class: ofType('Condition') })])).toBe('none');
    expect(extent([consentOf({ period: { end: '2024-05-31' } })])).toBe('none');
  });

  it('is some where it depends on the record or on who asks', () => {
    expect(extent([consentOf({ code: [{ coding: [{ system: 'http://s', code: 'a' }] }] })])).toBe('some');
    expect(extent([consentOf({ data: [{ meaning: 'instance', reference: { reference: 'Observation/1' } }] })])).toBe(
      'some',
    );
    expect(extent([consentOf({ data: [{ meaning: 'instance', reference: { reference: 'Condition/1' } }] })])).toBe(
      'none',
    );
    expect(extent([consentOf({ actor: [actor('Practitioner/1')] })])).toBe('some');
    expect(extent([consentOf({ actor: [actor('Organization/hillside')] })])).toBe('none');
    expect(extent([consentOf({ dataPeriod: { start: '2024' } })])).toBe('some');
    expect(
      extent([
        consentOf({
          provision: [{ type: 'deny', data: [{ meaning: 'related', reference: { reference: 'Encounter/1' } }] }],
        }),
      ]),
    ).toBe('some');
  });

  it('is none where a deny is certain, and by what nobody understands', () => {
    expect(extent([consentOf(), consentOf(undefined, 'OPTOUT')])).toBe('none');
    expect(extent([consentOf({ provision: [{ type: 'deny', class: ofType('Observation') }] })])).toBe('none');
    expect(extent([consentOf({ provision: [{ type: 'deny', class: ofType('Observation') }] })], 'Condition')).toBe(
      'all',
    );
    expect(extent([consentOf({ action: [concept('other', 'peek')] })])).toBe('none');
    expect(extent([consentOf({ actor: [actor('CareTeam/1')] })])).toBe('some');
  });
});
