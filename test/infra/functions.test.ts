import { describe, expect, it } from 'vitest';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { routes } from '../../infra/routes.ts';
import { configFrom } from '../../shared/config.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

const functions = () => synthesised().resources('AWS::Lambda::Function');

const functionOf = (entry: string): Resource => {
  const found = functions().find((each) => entryOf(each) === entry);
  if (!found) throw new Error(`There is no function ${entry}`);
  return found;
};

const environmentOf = ({ properties }: Resource) =>
  ((properties.Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {}) as Record<
    string,
    unknown
  >;

/** Values stand for themselves where they are references. */
const asText = (variables: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, JSON.stringify(value)]));

const servesRecords = [...new Set(routes.map(({ entry }) => entry))].filter(
  (entry) => entry !== 'functions/metadata.ts',
);

const writesSubscriptions = (entry: string) =>
  ['functions/records/subscription.ts', 'functions/system.ts'].includes(entry);

describe('functions of the stacks', () => {
  it('are those of the project, each once', () => {
    expect(functions().map(entryOf).sort()).toEqual([...functionEntries].sort());
  });

  it('run on arm64 and Node 24', () => {
    for (const { properties } of functions()) {
      expect(properties).toMatchObject({ Architectures: ['arm64'], Runtime: 'nodejs24.x', Handler: 'index.handler' });
    }
  });

  it('have a role each that no other has', () => {
    const roles = functions().map(({ part, properties }) => `${part} ${JSON.stringify(properties.Role)}`);

    expect(new Set(roles).size).toBe(functionEntries.length);
  });

  it('have an encrypted log each, which is kept for six years in production', () => {
    const groups = synthesised().resources('AWS::Logs::LogGroup');
    const key = { 'Fn::ImportValue': expect.stringMatching(/^concord-production-records:.*LogKey/) as string };

    const used = functions().map(({ part, properties }) => {
      const { LogGroup } = properties.LoggingConfig as { LogGroup: { Ref: string } };
      return groups.find(({ part: other, id }) => other === part && id === LogGroup.Ref);
    });

    expect(new Set(used).size).toBe(functionEntries.length);
    // Cognito writes into no log that has a key; what is to be kept of it stands in the access log.
    const exported = groups.filter(({ properties }) => String(properties.LogGroupName).startsWith('/aws/vendedlogs/'));
    expect(exported).toHaveLength(2);
    for (const group of groups.filter((each) => !exported.includes(each)))
      expect(group.properties).toMatchObject({ KmsKeyId: key, RetentionInDays: 2192 });
  });

  it.each(servesRecords)('%s is told all that it asks its environment for', (entry) => {
    const environment = environmentOf(functionOf(entry));

    expect(() => configFrom(asText(environment))).not.toThrow();
    expect(Object.keys(environment).sort()).toEqual([
      'BUCKET_NAME',
      ...(entry === 'functions/records/binary.ts' ? ['CONTENT_KEY_ARN'] : []), // for the key that uploads are encrypted with
      'DIGEST_BUCKET_NAME',
      'PATIENT_POOL_ID',
      ...(entry === 'functions/system.ts' ? ['PATIENT_SIGN_IN'] : []), // for the capability statement in a bundle
      'POLICY',
      ...(writesSubscriptions(entry) ? ['SECRETS_KEY_ID'] : []), // for the secrets of a Subscription
      'STAFF_POOL_ID',
      ...(entry === 'functions/system.ts' ? ['STAFF_SIGN_IN'] : []), // likewise
      'TABLE_NAME',
      ...(writesSubscriptions(entry) ? ['WEBHOOK_HOSTS'] : []), // where a Subscription may send to
    ]);
  });

  it.each([
    ['functions/metadata.ts', ['PATIENT_POOL_ID', 'PATIENT_SIGN_IN', 'STAFF_POOL_ID', 'STAFF_SIGN_IN']],
    ...['publish-changes', 'retry-parked', 'reconcile-feed'].map((name): [string, string[]] => [
      `functions/${name}.ts`,
      ['BUCKET_NAME', 'EVENT_BUS_NAME', 'PARTNERS', 'POLICY', 'TABLE_NAME', 'WAKE_QUEUE_URL'],
    ]),
    [
      'functions/deliver.ts',
      [
        'BUCKET_NAME',
        'DIGEST_BUCKET_NAME',
        'POLICY',
        'SECRETS_KEY_ID',
        'TABLE_NAME',
        'WAKE_QUEUE_URL',
        'WEBHOOK_HOSTS',
      ],
    ],
    ['functions/tick-subscriptions.ts', ['TABLE_NAME', 'WAKE_QUEUE_URL']],
    ['functions/file-accesses.ts', ['TABLE_NAME']],
    ['functions/replay-changes.ts', ['BUCKET_NAME', 'EVENT_BUS_NAME', 'POLICY', 'TABLE_NAME']],
    ['functions/sweep-transactions.ts', ['BUCKET_NAME', 'TABLE_NAME']],
    ['functions/write-digests.ts', ['DIGEST_BUCKET_NAME', 'DIGEST_KEY_ID', 'TABLE_NAME']],
    ['functions/verify-digests.ts', ['DIGEST_BUCKET_NAME', 'DIGEST_KEY_ID', 'TABLE_NAME']],
    ['functions/remind.ts', ['BUCKET_NAME', 'REMINDER_MINUTES', 'TABLE_NAME']],
    ['functions/purge-by-policy.ts', ['BUCKET_NAME', 'DIGEST_BUCKET_NAME', 'POLICY', 'TABLE_NAME']],
    ['functions/canary.ts', ['API_URL', 'CANARY_SECRET']],
    ['functions/file-held-accesses.ts', ['DIGEST_BUCKET_NAME', 'TABLE_NAME']],
    ['functions/add-token-claims.ts', ['DIGEST_BUCKET_NAME', 'TABLE_NAME']],
    ['functions/add-patient-claims.ts', ['DIGEST_BUCKET_NAME', 'TABLE_NAME']],
    ['functions/follow-user-pool.ts', ['DIGEST_BUCKET_NAME', 'PATIENT_POOL_ID', 'STAFF_POOL_ID', 'TABLE_NAME']],
  ])('%s is told %j and nothing else', (entry, names) => {
    expect(Object.keys(environmentOf(functionOf(entry))).sort()).toEqual(names);
  });

  it('have no variable that could switch a check off or send a client elsewhere', () => {
    const names = new Set(functions().flatMap((each) => Object.keys(environmentOf(each))));

    expect([...names].sort()).toEqual([
      'API_URL',
      'BUCKET_NAME',
      'CANARY_SECRET',
      'CONTENT_KEY_ARN',
      'DIGEST_BUCKET_NAME',
      'DIGEST_KEY_ID',
      'EVENT_BUS_NAME',
      'PARTNERS',
      'PATIENT_POOL_ID',
      'PATIENT_SIGN_IN',
      'POLICY',
      'REMINDER_MINUTES',
      'SECRETS_KEY_ID',
      'STAFF_POOL_ID',
      'STAFF_SIGN_IN',
      'TABLE_NAME',
      'WAKE_QUEUE_URL',
      'WEBHOOK_HOSTS',
    ]);
  });
});
