import { beforeAll, describe, expect, it } from 'vitest';
import type { FileBeside } from '../../infra/lazy-data.ts';
import { fileNameOf, routes } from '../../infra/routes.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { type DeployedFunctions, deployedFunctions } from '../support/deployed-functions.ts';

const largestRecordFunction = 450_000;
const largestFunction = 1_000_000;

/** Functions that follow the stream or the clock, or show what was written: they neither search nor write records. */
const background = [
  'functions/history.ts',
  'functions/publish-changes.ts',
  'functions/retry-parked.ts',
  'functions/reconcile-feed.ts',
  'functions/file-accesses.ts',
  'functions/replay-changes.ts',
  'functions/sweep-transactions.ts',
  'functions/remind.ts',
  'functions/file-held-accesses.ts',
  'functions/write-digests.ts',
  'functions/verify-digests.ts',
  'functions/canary.ts',
];

/** Those of them that decide who is told of changes. */
const publishing: ReadonlySet<string> = new Set(
  ['publish-changes', 'retry-parked', 'reconcile-feed', 'replay-changes'].map((name) => `functions/${name}.ts`),
);

/** What asks and changes records by hand, which messages have no use for. */
const byHand: ReadonlySet<string> = new Set(
  ['hand-on', 'operations', 'patch', 'history', 'delete', 'once']
    .map((name) => `shared-interactions-${name}.lazy.js`)
    .concat('shared-patch-patch.lazy.js', 'shared-fhir-sound-part.lazy.js'),
);
const messages = 'functions/hl7-v2.ts';
/** Who is registered by a message may be somebody who is there already. */
const matching = 'shared-matching-patients.lazy.js';

/** What lies beside functions: which read it, and how many bytes of it there may be, data packed. */
const filesBeside: readonly {
  readonly name: string;
  readonly most: number;
  readonly readBy: (entry: string) => boolean;
}[] = [
  {
    name: 'shared-store-dictionaries-dictionary-1.br',
    most: 6_500,
    readBy: (entry) => !/(?:-digests|-accesses|canary)\.ts$/.test(entry),
  },
  {
    name: 'shared-fhir-generated-search-parameters-all.data.br',
    most: 25_000,
    readBy: (entry) => !background.includes(entry),
  },
  {
    name: 'shared-fhir-generated-profiles-us-core.data.br',
    most: 8_000,
    readBy: (entry) => !background.includes(entry),
  },
  {
    name: 'shared-fhir-generated-terminology.data.br',
    most: 170_000,
    readBy: (entry) => !background.includes(entry),
  },
  ...[
    { name: 'shared-fhir-generated-api-description.data.br', most: 120_000 },
    { name: 'shared-openapi-viewer.data.br', most: 520_000 },
  ].map((file) => ({ ...file, readBy: (entry: string) => entry === 'functions/metadata.ts' })),
  ...[
    { name: 'shared-access-sharing.lazy.js', most: 20_000, published: true, described: true },
    { name: 'shared-audit-refusals.lazy.js', most: 12_000 },
    { name: 'shared-audit-held-hold.lazy.js', most: 16_000 },
    // The description holds what the system is asked, and so what explains access.
    { name: 'shared-interactions-proxies-acting.lazy.js', most: 20_500, described: true },
    { name: 'shared-interactions-for-support.lazy.js', most: 10_000, described: true },
  ].map(({ described = false, published = false, ...file }) => ({
    ...file,
    readBy: (entry: string) =>
      entry === 'functions/history.ts' ||
      (published && publishing.has(entry)) ||
      (!background.includes(entry) && (described || entry !== 'functions/metadata.ts')),
  })),
  ...[
    { name: 'shared-interactions-hand-on.lazy.js', most: 160_000 },
    { name: 'shared-interactions-subscriptions-writing.lazy.js', most: 90_000 },
    { name: 'shared-interactions-raised.lazy.js', most: 200_000 },
    { name: 'shared-interactions-request-answers.lazy.js', most: 90_000 },
    { name: 'shared-interactions-order-checks-order-checks.lazy.js', most: 97_000 },
    { name: 'shared-interactions-recollecting.lazy.js', most: 60_000 },
    { name: 'shared-interactions-results-interpreted.lazy.js', most: 16_000 },
    { name: 'shared-interactions-results-reviews.lazy.js', most: 90_000 },
    { name: 'shared-interactions-order-checks-own-pack.lazy.js', most: 60_000 },
    { name: 'shared-order-checks-pack-allergies.data.br', most: 4_000 },
    { name: 'shared-order-checks-pack-classes.data.br', most: 8_000 },
    { name: 'shared-order-checks-pack-duplicates.data.br', most: 3_000 },
    { name: 'shared-order-checks-pack-ingredients.data.br', most: 14_000 },
    { name: 'shared-order-checks-pack-interactions.data.br', most: 4_000 },
    { name: 'shared-order-checks-pack-pregnancy.data.br', most: 4_000 },
    { name: 'shared-order-checks-pack-products.data.br', most: 24_000 },
    { name: 'shared-order-checks-pack-renal.data.br', most: 4_000 },
    { name: 'shared-order-checks-pack-sources.data.br', most: 8_000 },
    { name: 'shared-interactions-answered.lazy.js', most: 42_000 },
    { name: 'shared-interactions-message-written.lazy.js', most: 24_000 },
    { name: 'shared-interactions-payer-restrictions.lazy.js', most: 21_000 },
    { name: 'shared-patch-patch.lazy.js', most: 16_000 },
    { name: 'shared-profiles-check-claims.lazy.js', most: 12_000 },
    { name: 'shared-fhir-sound-part.lazy.js', most: 2_000 },
    { name: 'shared-interactions-referring-anew.lazy.js', most: 12_000 },
    { name: 'shared-fhir-unmask.lazy.js', most: 4_000 },
    { name: 'shared-interactions-psychotherapy-note.lazy.js', most: 6_000 },
    { name: 'shared-terminology-evaluation.lazy.js', most: 12_000 },
    { name: 'shared-interactions-search-explanation.lazy.js', most: 8_000 },
    { name: 'shared-interactions-search-following.lazy.js', most: 45_000 },
    { name: 'shared-search-parse-filter.lazy.js', most: 19_000 },
    { name: 'shared-search-ucum-units.lazy.js', most: 10_000 },
    { name: 'shared-store-staged.lazy.js', most: 20_000 },
    { name: 'shared-store-calendars.lazy.js', most: 10_200 },
    { name: 'shared-interactions-waiting.lazy.js', most: 120_000 },
    { name: 'shared-interactions-calendar-changes.lazy.js', most: 18_000 },
    { name: 'shared-interactions-operations.lazy.js', most: 36_000 },
    { name: 'shared-interactions-patch.lazy.js', most: 12_000 },
    { name: 'shared-interactions-history.lazy.js', most: 8_000 },
    { name: 'shared-interactions-delete.lazy.js', most: 10_000 },
    { name: 'shared-interactions-conditional-match.lazy.js', most: 10_000 },
    { name: 'shared-interactions-terms-search-terms.lazy.js', most: 33_000 },
  ].map((file) => ({ ...file, readBy: (entry: string) => !background.includes(entry) })),
  {
    name: 'shared-interactions-once.lazy.js',
    most: 13_000,
    readBy: (entry) => !background.includes(entry) && entry !== 'functions/metadata.ts',
  },
  ...[
    { name: 'shared-interactions-explain-access-explain-access.lazy.js', most: 26_000, types: [] },
    { name: 'shared-interactions-explain-consent-explain-consent.lazy.js', most: 36_000, types: ['consent'] },
    { name: 'shared-matching-patients.lazy.js', most: 16_000, types: ['patient', 'diagnostic-report'] },
    { name: 'shared-interactions-laboratory-laboratory.lazy.js', most: 250_000, types: ['diagnostic-report'] },
    { name: 'shared-interactions-amendments-amendments.lazy.js', most: 77_000, types: ['patient', 'task'] },
    { name: 'shared-interactions-booking-booking.lazy.js', most: 67_500, types: ['appointment'] },
    { name: 'shared-interactions-work-work.lazy.js', most: 30_000, types: ['task'] },
    { name: 'shared-interactions-subscriptions-operations.lazy.js', most: 75_000, types: ['subscription'] },
    { name: 'shared-interactions-trends-trends.lazy.js', most: 40_000, types: ['observation'] },
    {
      name: 'shared-interactions-results-results.lazy.js',
      most: 90_000,
      types: ['observation', 'diagnostic-report', 'task'],
    },
    { name: 'shared-interactions-plans-plans.lazy.js', most: 40_000, types: ['goal', 'care-plan'] },
    { name: 'shared-interactions-progress-progress.lazy.js', most: 190_000, types: ['task'] },
    { name: 'shared-interactions-reconciling-reconciling.lazy.js', most: 101_000, types: ['patient'] },
    { name: 'shared-interactions-retention-retention.lazy.js', most: 48_000, types: ['patient'] },
    { name: 'shared-interactions-disclosures-disclosures.lazy.js', most: 49_000, types: ['patient'] },
    { name: 'shared-interactions-order-use-order-use.lazy.js', most: 32_000, types: ['medication-request'] },
    { name: 'shared-interactions-prescribing-prescribing.lazy.js', most: 134_000, types: ['medication-request'] },
    { name: 'shared-interactions-access-log.lazy.js', most: 24_000, types: ['audit-event'] },
    { name: 'shared-interactions-contact-contact.lazy.js', most: 22_000, types: ['patient'] },
    { name: 'shared-interactions-messages-messages.lazy.js', most: 60_000, types: ['communication'] },
    { name: 'shared-interactions-merging-merging.lazy.js', most: 40_000, types: ['patient'] },
    { name: 'shared-interactions-registering-registering.lazy.js', most: 60_000, types: ['patient'] },
    { name: 'shared-interactions-match-match.lazy.js', most: 20_000, types: ['patient'] },
    { name: 'shared-interactions-calls-verify-caller.lazy.js', most: 60_000, types: ['patient'] },
    { name: 'shared-interactions-emergency-emergency.lazy.js', most: 90_000, types: ['patient'] },
    { name: 'shared-interactions-everything-everything.lazy.js', most: 48_000, types: ['patient', 'encounter'] },
    { name: 'shared-interactions-summary-summary.lazy.js', most: 60_000, types: ['patient'] },
    { name: 'shared-interactions-proxies-operations.lazy.js', most: 40_000, types: ['patient'] },
    { name: 'shared-interactions-revoke-access.lazy.js', most: 27_000, types: ['practitioner'] },
    { name: 'shared-interactions-sign-out.lazy.js', most: 18_000, types: [] },
    { name: 'shared-interactions-refiling-refiling.lazy.js', most: 60_000, types: [] },
    {
      name: 'shared-interactions-signing-signing.lazy.js',
      most: 60_000,
      types: ['composition', 'document-reference', 'diagnostic-report'],
    },
    { name: 'shared-interactions-uploading-uploading.lazy.js', most: 88_000, types: ['binary'] },
    {
      name: 'shared-fhir-compartments.lazy.js',
      most: 6_000,
      types: ['patient', 'encounter', 'practitioner', 'related-person', 'device'],
    },
  ].map(({ types: ofTypes, ...file }) => ({
    ...file,
    readBy: (entry: string) =>
      [
        'functions/system.ts',
        'functions/metadata.ts',
        ...ofTypes.map((type) => `functions/records/${type}.ts`),
      ].includes(entry),
  })),
];

/** Of what all others read, what the services of CDS Hooks leave out: they search nothing, show no record and write by no request of FHIR. */
const notForHooks = [
  'shared-fhir-sound-part.lazy.js',
  'shared-interactions-conditional-match.lazy.js',
  'shared-interactions-delete.lazy.js',
  'shared-interactions-hand-on.lazy.js',
  'shared-interactions-history.lazy.js',
  'shared-interactions-once.lazy.js',
  'shared-interactions-operations.lazy.js',
  'shared-interactions-patch.lazy.js',
  'shared-interactions-search-explanation.lazy.js',
  'shared-interactions-search-following.lazy.js',
  'shared-interactions-terms-search-terms.lazy.js',
  'shared-patch-patch.lazy.js',
];
const isLeftOut = (entry: string, name: string): boolean =>
  entry === 'functions/cds-services.ts' && notForHooks.includes(name);

const expectBeside = (entry: string, found: readonly FileBeside[]) => {
  const expected = filesBeside.filter(({ name, readBy }) =>
    entry === messages
      ? matching === name || (readBy(entry) && !byHand.has(name))
      : readBy(entry) && !isLeftOut(entry, name),
  );
  expect(found.map(({ name }) => name).sort()).toEqual(expected.map(({ name }) => name).sort());
  for (const { name, contents } of found) {
    expect(contents.length, name).toBeLessThanOrEqual(expected.find((each) => each.name === name)?.most ?? 0);
  }
};

/** Generated files that belong to one resource type. */
const typesIn = (inputs: readonly string[]) => [
  ...new Set(
    inputs.flatMap(
      (input) => /generated\/(?:schemas|invariants|search-parameters)\/([A-Z]\w+)\.ts$/.exec(input)?.[1] ?? [],
    ),
  ),
];

const entryOf = (type: string) => `functions/records/${fileNameOf(type)}.ts`;
const types = recordTypes.map(({ name }) => name);
const others = [
  ...new Set(routes.map(({ entry }) => entry).filter((entry) => !entry.startsWith('functions/records/'))),
  ...background,
];

let deployed: DeployedFunctions;
beforeAll(async () => {
  deployed = await deployedFunctions();
});

describe('bundle of a function', () => {
  it.each(types)('of %s holds what is generated for this type alone, in 450 KB', (type) => {
    const entry = entryOf(type);
    const { code, beside, inputs } = deployed.bundleOf(entry);

    expect(typesIn(inputs).filter((name) => name !== 'Resource')).toEqual([type]);
    expect(inputs.filter((input) => input.includes('/event-streams/'))).toEqual([]);
    expect(inputs.filter((input) => input.includes('/own-routes/'))).toEqual(
      type in ownRoutes ? [`shared/http/own-routes/${fileNameOf(type)}.ts`] : [],
    );
    expect(code.length).toBeLessThanOrEqual(largestRecordFunction);
    expectBeside(entry, beside);
  });

  it.each(others)('%s stays below 1 MB', (entry) => {
    const { code, beside } = deployed.bundleOf(entry);

    expect(code.length).toBeLessThanOrEqual(largestFunction);
    expectBeside(entry, beside);
  });

  // What delivers writes versions of Subscriptions, as what serves them does, and so has what these have beside it.
  it.each(['functions/deliver.ts', 'functions/tick-subscriptions.ts'])('%s stays below half of that', (entry) => {
    expect(deployed.bundleOf(entry).code.length).toBeLessThanOrEqual(largestFunction / 2);
  });
});
