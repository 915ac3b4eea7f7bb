import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { entryOf, type Resource, synthesised } from '../support/synthesised.ts';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, unknown>>;
}

interface Grant extends Statement {
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
  readonly holder: Resource;
}

/** Wildcards that stay, each with its reason. */
const allowed: Readonly<Record<string, string>> = {
  'AWS::KMS::Key kms:*':
    'gives the key to the account that it is in, so that policies of roles count; without it nobody could administer it',
  'AWS::KMS::Key *': "in a key's policy the resource is this key",
  'AWS::IAM::Role dynamodb:ListStreams *': 'cannot be limited to one stream, and shows names alone',
  'AWS::IAM::Role xray:PutTelemetryRecords xray:PutTraceSegments *':
    'cannot be limited, and a trace says how long a function took',
  'AWS::IAM::Role s3:GetObject s3:PutObject /*': 'is every object of the one bucket, and not the bucket itself',
  'AWS::IAM::Role s3:GetObjectAttributes s3:GetObjectTagging /quarantine/*': 'is every upload that waits',
  'AWS::IAM::Role s3:GetObject /*': 'likewise',
  'AWS::IAM::Role s3:PutObject /held/*':
    'is every row of the access log that the table did not take, under a name of its own',
  'AWS::IAM::Role s3:GetObject /held/*': 'likewise, for what files them',
  'AWS::IAM::Role s3:PutObject /filed/*': 'likewise, to tell that they were',
  'AWS::IAM::Role s3:GetObject s3:GetObjectTagging s3:GetObjectVersion s3:GetObjectVersionTagging s3:PutObjectTagging s3:PutObjectVersionTagging /quarantine/*':
    'likewise, for the scanner',
  'AWS::IAM::Role events:DeleteRule events:PutRule events:PutTargets events:RemoveTargets arn:aws:events:us-east-1::rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*':
    "are GuardDuty's own rules, whose names end in a way that it chooses",
  'AWS::IAM::Role events:DescribeRule events:ListTargetsByRule arn:aws:events:us-east-1::rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*':
    'likewise',
  'AWS::IAM::Role s3:DeleteObject /*': 'likewise',
  'AWS::S3::BucketPolicy s3:PutObject /AWSLogs//*':
    "is every file of the account's trail, whose names CloudTrail chooses",
  'AWS::IAM::Role dynamodb:DeleteBackup dynamodb:DescribeBackup /backup/*':
    'is every backup of the one table, whose names DynamoDB chooses',
  'AWS::IAM::Role s3:GetObject s3:GetObjectAcl s3:GetObjectTagging s3:GetObjectVersion s3:GetObjectVersionAcl s3:GetObjectVersionTagging /*':
    'is every object of the one bucket that is backed up',
  'AWS::IAM::Role events:DeleteRule events:DescribeRule events:DisableRule events:EnableRule events:ListTargetsByRule events:PutRule events:PutTargets events:RemoveTargets arn::events:us-east-1::rule/AwsBackupManagedRule*':
    "are AWS Backup's own rules, by which it hears of objects",
  'AWS::IAM::Role cloudwatch:GetMetricData events:ListRules s3:ListAllMyBuckets tag:GetResources *':
    'cannot be limited, and show names, tags and figures alone: AWS Backup asks for them',
  'AWS::IAM::Role dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:DescribeTable dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:RestoreTableFromAwsBackup dynamodb:Scan dynamodb:UpdateItem arn::dynamodb:us-east-1::table/awsbackup-restore-test-*':
    'are tables that AWS Backup makes for a test of restoring, names and removes',
};

/** Policies of AWS that a role may carry, each with its reason. */
const managed: Readonly<Record<string, string>> = {
  'service-role/AmazonAPIGatewayPushToCloudWatchLogs':
    'is what the gateway of an account asks for to write access logs',
};

const statementsIn = (value: unknown): Statement[] => {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (typeof value !== 'object' || value === null) return [];
  return 'Effect' in value && 'Action' in value ? [value as Statement] : Object.values(value).flatMap(statementsIn);
};

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

const grants = (stage?: string): Grant[] =>
  synthesised(stage)
    .resources()
    .flatMap((holder) =>
      statementsIn(holder.properties).map((statement) => ({
        ...statement,
        actions: listOf(statement.Action).map(String),
        resources: listOf(statement.Resource),
        holder,
      })),
    );

const allows = (stage?: string) => grants(stage).filter(({ Effect }) => Effect === 'Allow');

/** What services that back up or scan are allowed by roles of their own: tests of their stacks hold those. */
const ofServices = ['backups', 'documents'];
const allowsFunctions = () => allows().filter(({ holder }) => !ofServices.includes(holder.part));

/** Literal text of an ARN in a template; references give nothing. */
const literal = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return listOf((value as Record<string, unknown[]>)['Fn::Join']?.[1])
    .map((part) => (typeof part === 'string' ? part : ''))
    .join('');
};

const grantsOf = (entry: string): Grant[] => {
  const functions = synthesised().resources('AWS::Lambda::Function');
  const found = functions.find((each) => entryOf(each) === entry);
  const role = (found?.properties.Role as { 'Fn::GetAtt'?: [string] } | undefined)?.['Fn::GetAtt']?.[0];
  return grants().filter(({ holder }) => holder.id === role && holder.part === found?.part);
};

const actionsOf = (entry: string, service: string) =>
  grantsOf(entry)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ actions }) => actions)
    .filter((action) => action.startsWith(`${service}:`))
    .sort();

/** What a function may do with bodies. */
const onBodiesOf = (entry: string) =>
  grantsOf(entry)
    .filter(({ Effect, resources }) => Effect === 'Allow' && JSON.stringify(resources).includes('FnGetAttBodiesBucket'))
    .flatMap(({ actions }) => actions)
    .sort();

/** What a function may do with which rows. */
const onRowsOf = (entry: string) =>
  grantsOf(entry)
    .filter(({ Effect, actions }) => Effect === 'Allow' && actions.some((action) => /:(?:\w+Item|Query)$/.test(action)))
    .map(({ actions, Condition }) => [actions.toSorted(), Condition]);

/** What roles may do in the bucket of digests, each by the function whose role it is. */
const onDigests = () =>
  allows()
    .filter(
      ({ resources, holder }) =>
        holder.type === 'AWS::IAM::Role' && JSON.stringify(resources).includes('FnGetAttDigestsBucket'),
    )
    .map(({ actions, resources, holder }) => ({
      entry: String(holder.properties.Description).split('functions/')[1] ?? '',
      actions,
      resources: resources.map((each) => JSON.stringify(each)),
    }));

const onlyLike = (...partitions: string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': partitions },
  Null: { 'dynamodb:LeadingKeys': 'false' },
});

const shared = path.resolve(import.meta.dirname, '../../shared');

/** What each call of the document client asks permission for. */
const actionsOfCommand: Readonly<Record<string, readonly string[]>> = {
  Get: ['GetItem'],
  BatchGet: ['BatchGetItem'],
  Query: ['Query'],
  Put: ['PutItem'],
  Update: ['UpdateItem'],
  Delete: ['DeleteItem'],
  BatchWrite: ['BatchWriteItem'],
  TransactWrite: ['ConditionCheckItem', 'DeleteItem', 'PutItem', 'UpdateItem'],
};

/** Calls that the code makes, by the names it imports. */
const commandsInCode = () => [
  ...new Set(
    globSync('**/*.ts', { cwd: shared, exclude: ['fhir/generated/**'] })
      .map((file) => readFileSync(path.join(shared, file), 'utf8'))
      .flatMap((text) => [...text.matchAll(/new (\w+)Command\(/g)].map(([, name]) => name ?? ''))
      .filter((name) => name !== 'PutEvents'),
  ),
];

/** What the object store is asked for in these files, as permissions. */
const verbsIn = (pattern: string): string[] => {
  const actions: Readonly<Record<string, string>> = { get: 'GetObject', put: 'PutObject', delete: 'DeleteObject' };
  const verbs = globSync(pattern, { cwd: shared })
    .map((file) => readFileSync(path.join(shared, file), 'utf8'))
    .flatMap((text) =>
      [...text.matchAll(/[.#]objects\.(get|put|delete)\(/g)].map(([, verb]) => `s3:${actions[verb ?? '']}`),
    );
  return [...new Set(verbs)].sort();
};

describe('policies of the stacks', () => {
  it.each(['production', 'dev'])('of %s allow no action by wildcard without a reason', (stage) => {
    const wild = allows(stage).flatMap(({ actions, holder }) =>
      actions.filter((action) => action.includes('*')).map((action) => `${holder.type} ${action}`),
    );

    expect([...new Set(wild)].filter((each) => allowed[each] === undefined)).toEqual([]);
  });

  it.each(['production', 'dev'])('of %s allow no resource by wildcard without a reason', (stage) => {
    const wild = allows(stage).flatMap(({ actions, resources, holder }) =>
      resources
        .filter((resource) => literal(resource).includes('*'))
        .map(
          (resource) =>
            (holder.type === 'AWS::KMS::Key' ? [] : actions).reduce(
              (text, action) => `${text} ${action}`,
              holder.type,
            ) + ` ${literal(resource)}`,
        ),
    );

    expect([...new Set(wild)].filter((each) => allowed[each] === undefined)).toEqual([]);
  });

  it('use every exception that is written down', () => {
    const found = JSON.stringify(
      allows().map(({ actions, resources, holder }) => [holder.type, ...actions, ...resources.map(literal)]),
    );

    expect(found).toContain('["AWS::KMS::Key","kms:*","*"]');
    expect(found).toContain('["AWS::IAM::Role","dynamodb:ListStreams","*"]');
    expect(found).toContain('["AWS::IAM::Role","s3:GetObject","s3:PutObject","/*"]');
    expect(found).toContain('["AWS::IAM::Role","s3:GetObjectAttributes","s3:GetObjectTagging","/quarantine/*"]');
    expect(found).toContain('["AWS::IAM::Role","s3:GetObject","/*"]');
    expect(found).toContain('["AWS::IAM::Role","s3:DeleteObject","/*"]');
  });

  it('let what serves Subscriptions encrypt their secrets, and nobody who does that decrypt them', () => {
    const [key] = synthesised()
      .resources('AWS::KMS::Key')
      .filter(({ properties }) => String(properties.Description).includes('secrets of Subscriptions'));
    const onKey = allows().filter(
      ({ resources, holder }) => holder.type === 'AWS::IAM::Role' && JSON.stringify(resources).includes(`${key?.id}`),
    );
    const may = (action: string) =>
      onKey.filter(({ actions }) => actions.includes(action)).map(({ holder }) => holder.id);

    expect(may('kms:Encrypt')).toHaveLength(2);
    expect(
      may('kms:Encrypt')
        .map((id) => id.replace(/Role.*/, ''))
        .sort(),
    ).toEqual(['Subscription', 'System']);
    expect(may('kms:Decrypt').filter((id) => may('kms:Encrypt').includes(id))).toEqual([]);
    for (const { Condition } of onKey)
      expect(Condition).toEqual({ Null: { 'kms:EncryptionContext:subscription': 'false' } });
  });

  it('allow nothing to the world', () => {
    const open = allows().filter(({ Principal }) => JSON.stringify(Principal ?? '').includes('"*"'));

    expect(open).toEqual([]);
  });

  it('carry no policy of AWS but those with a reason, and no policy beside the roles', () => {
    const roles = synthesised().resources('AWS::IAM::Role');

    const carried = roles.flatMap(({ properties }) => listOf(properties.ManagedPolicyArns).map(literal));
    const others = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy'].flatMap((type) => synthesised().resources(type));

    expect(carried.map((arn) => arn.split(':policy/')[1] ?? arn).filter((name) => managed[name] === undefined)).toEqual(
      [],
    );
    expect(others).toEqual([]);
  });

  it('allow a function the table of the records stack and no other', () => {
    const onTables = allowsFunctions().filter(({ actions }) =>
      actions.some((action) => /^dynamodb:(?!ListStreams)/.test(action)),
    );

    const resources = new Set(
      onTables.flatMap(({ resources: each }) => each.map((resource) => JSON.stringify(resource))),
    );

    expect(onTables.length).toBeGreaterThan(50);
    expect(
      [...resources].map((text) => /records:ExportsOutputFnGetAttTable\w{8}(Arn|StreamArn)/.exec(text)?.[1]).sort(),
    ).toEqual(['Arn', 'StreamArn']);
  });

  it('let the key of the records be used through DynamoDB alone, and that of bodies through S3 to read and write them', () => {
    const usesOf = (key: string) =>
      allowsFunctions().filter(({ resources }) => JSON.stringify(resources).includes(`FnGetAtt${key}`));
    const conditionsOf = (uses: ReturnType<typeof usesOf>) =>
      new Set(uses.map(({ Condition }) => JSON.stringify(Condition)));
    const through = (service: string) => `{"StringEquals":{"kms:ViaService":"${service}.us-east-1.amazonaws.com"}}`;
    const ofBodies = usesOf('BodiesKey');

    expect(usesOf('TableKey').length).toBeGreaterThan(50);
    expect(ofBodies.length).toBeGreaterThan(50);
    expect(conditionsOf(usesOf('TableKey'))).toEqual(new Set([through('dynamodb')]));
    expect(conditionsOf(ofBodies)).toEqual(new Set([through('s3')]));
    expect(new Set(ofBodies.flatMap(({ actions }) => actions))).toEqual(
      new Set(['kms:Decrypt', 'kms:GenerateDataKey']),
    );
  });

  it('allow a function the buckets of the documents stack and no other, object by object; whether an object of the digests is there, too', () => {
    const onObjects = allowsFunctions().filter(({ actions }) => actions.some((action) => action.startsWith('s3:')));

    const resources = onObjects.flatMap(({ actions, resources: each }) =>
      each.map((one) => {
        const [, bucket, objects] =
          /documents:ExportsOutputFnGetAtt(BodiesBucket|DigestsBucket)\w{8}Arn\w+"}(?:,"(\/[\w/]*\*)"\])?/.exec(
            JSON.stringify(one),
          ) ?? [];
        return objects === undefined ? `${bucket} ${actions.join()}` : `${bucket}${objects}`;
      }),
    );

    expect(onObjects.length).toBeGreaterThan(50);
    expect([...new Set(resources)].sort()).toEqual([
      'BodiesBucket/*',
      'BodiesBucket/quarantine/*',
      'DigestsBucket s3:ListBucket',
      'DigestsBucket/*',
      'DigestsBucket/filed/*',
      'DigestsBucket/held/*',
    ]);
  });

  it('let whoever leaves traces hold what the table does not take, read none of it, and one function file it', () => {
    const held = onDigests().filter(({ resources }) => resources.some((each) => each.includes('/held/*')));
    const holding = held.filter(({ entry }) => entry !== 'file-held-accesses.ts');
    const leavesTraces = functionEntries.filter(
      (entry) =>
        onRowsOf(entry).some(
          ([actions, condition]) =>
            JSON.stringify(actions).includes('PutItem') &&
            (condition === undefined || JSON.stringify(condition).includes('"A#*"')),
        ) &&
        !['sweep-transactions', 'file-accesses', 'file-held-accesses'].some((name) => entry.endsWith(`/${name}.ts`)),
    );

    expect(new Set(holding.flatMap(({ actions }) => actions))).toEqual(new Set(['s3:PutObject']));
    expect(holding.map(({ entry }) => `functions/${entry}`).toSorted()).toEqual(leavesTraces.toSorted());
    expect(actionsOf('functions/file-held-accesses.ts', 's3')).toEqual([
      's3:GetObject',
      's3:ListBucket',
      's3:PutObject',
    ]);
    expect(onRowsOf('functions/file-held-accesses.ts')).toEqual([[['dynamodb:PutItem'], onlyLike('A#*')]]);
  });

  it('let one function write digests and another one verify them, and no role remove any', () => {
    const written = onDigests().filter(({ resources }) =>
      resources.every((each) => !each.includes('/held/*') && !each.includes('/filed/*')),
    );
    const named = written
      .filter(({ entry }) => entry !== 'file-held-accesses.ts')
      .map(({ entry, actions }) => [entry, actions]);

    expect(named).toEqual([
      ['write-digests.ts', ['s3:GetObject', 's3:PutObject']],
      ['write-digests.ts', ['s3:ListBucket']],
      ['verify-digests.ts', ['s3:GetObject']],
      ['verify-digests.ts', ['s3:ListBucket']],
    ]);
    expect(onRowsOf('functions/write-digests.ts')).toEqual([[['dynamodb:Query'], onlyLike('A~*', 'A#*#chain')]]);
    expect(onRowsOf('functions/verify-digests.ts')).toEqual([[['dynamodb:Query'], onlyLike('A~*', 'A#*')]]);
  });

  it('let one function alone make the codes of digests, whatever another policy allows', () => {
    const roleOf = (entry: string) => {
      const found = synthesised()
        .resources('AWS::Lambda::Function')
        .find((each) => entryOf(each) === entry);
      return found?.properties.Role;
    };
    const onCodes = grants().filter(({ actions }) => actions.some((action) => action.endsWith('Mac')));

    expect(onCodes.map(({ Effect, Principal, actions, Condition }) => [Effect, Principal, actions, Condition])).toEqual(
      [
        ['Allow', { AWS: roleOf('functions/write-digests.ts') }, ['kms:GenerateMac'], undefined],
        [
          'Deny',
          { AWS: '*' },
          ['kms:GenerateMac'],
          { ArnNotEquals: { 'aws:PrincipalArn': roleOf('functions/write-digests.ts') } },
        ],
        ['Allow', { AWS: roleOf('functions/verify-digests.ts') }, ['kms:VerifyMac'], undefined],
      ],
    );
    expect(
      new Set(onCodes.map(({ holder }) => `${holder.id.slice(0, 9)} ${String(holder.properties.KeySpec)}`)),
    ).toEqual(new Set(['DigestKey HMAC_256']));
  });

  it('allow what serves records exactly the objects’ verbs that the code uses, and the sweeper its one', () => {
    const served = verbsIn('store/!(sweep-uploads|sweep-purges).ts');
    const swept = verbsIn('store/sweep-{uploads,purges}.ts');

    expect(onBodiesOf('functions/records/patient.ts')).toEqual(served);
    expect(onBodiesOf('functions/system.ts')).toEqual(served);
    // What takes uploads looks at them besides.
    expect(onBodiesOf('functions/records/binary.ts')).toEqual(
      [...served, 's3:GetObjectAttributes', 's3:GetObjectTagging'].toSorted(),
    );
    expect(onBodiesOf('functions/sweep-transactions.ts')).toEqual(swept);
    expect([served, swept]).toEqual([['s3:GetObject', 's3:PutObject'], ['s3:DeleteObject']]);
  });

  it('give the bodies to no function that serves or sweeps no records', () => {
    const others = ['file-accesses', 'metadata', 'add-token-claims', 'add-patient-claims'];

    expect(others.flatMap((name) => onBodiesOf(`functions/${name}.ts`))).toEqual([]);
  });

  it('let what finds reminders note these, and how far it has looked, and write nothing else', () => {
    const writing = onRowsOf('functions/remind.ts').filter((grant) => JSON.stringify(grant).includes('PutItem'));

    expect(writing).toEqual([[['dynamodb:BatchWriteItem', 'dynamodb:PutItem'], onlyLike('N#*', 'N!', '!deployment')]]);
    expect(actionsOf('functions/remind.ts', 'dynamodb')).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:BatchWriteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
    ]);
    expect(onBodiesOf('functions/remind.ts')).toEqual(['s3:GetObject']);
  });

  it('let what delivers write how Subscriptions stand and what was sent, and of records what a version of one needs; it changes no other row', () => {
    expect(onRowsOf('functions/deliver.ts')).toEqual([
      [['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], undefined],
      [
        ['dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
        onlyLike('W!*', 'W#*', 'C#*', 'X#*#Subscription#*#*', 'O~*'),
      ],
      [['dynamodb:PutItem'], onlyLike('A#*', '!deployment', 'F!later')],
    ]);
    expect(onBodiesOf('functions/deliver.ts')).toEqual(['s3:GetObject', 's3:PutObject']);
    expect(actionsOf('functions/deliver.ts', 'sqs')).toEqual([
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
    ]);
  });

  it('let what looks which Subscriptions are due read these, and wake them, and nothing else', () => {
    expect(onRowsOf('functions/tick-subscriptions.ts')).toEqual([[['dynamodb:Query'], onlyLike('W!*')]]);
    expect(actionsOf('functions/tick-subscriptions.ts', 'sqs')).toEqual(['sqs:SendMessage']);
    expect(actionsOf('functions/publish-changes.ts', 'sqs')).toEqual(['sqs:SendMessage']);
  });

  it('let no function scan, or change the table itself', () => {
    const actions = new Set(allowsFunctions().flatMap((grant) => grant.actions));

    const wide = [...actions].filter((action) =>
      /:(Scan|PartiQL\w+|CreateTable|DeleteTable|UpdateTable|UpdateTimeToLive|UpdateContinuousBackups|ScheduleKeyDeletion|DisableKey|PutKeyPolicy|CreateGrant)$/.test(
        action,
      ),
    );

    expect(actions.size).toBeGreaterThan(10);
    expect(wide).toEqual([]);
  });

  it('allow what serves records exactly the calls that the code makes', () => {
    const needed = commandsInCode().flatMap((command) => actionsOfCommand[command] ?? [`an action for ${command}`]);

    const allowedActions = actionsOf('functions/records/patient.ts', 'dynamodb');

    expect(allowedActions).toEqual([...new Set(needed)].sort().map((action) => `dynamodb:${action}`));
  });

  it('give the description of the server no data at all', () => {
    expect(actionsOf('functions/metadata.ts', 'dynamodb')).toEqual([]);
    expect(actionsOf('functions/metadata.ts', 'kms')).toEqual([]);
  });

  it('let the publisher read what decides who may know of a change, and write what was told and how far it has come alone', () => {
    expect(onRowsOf('functions/publish-changes.ts')).toEqual([
      [['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], undefined],
      [['dynamodb:BatchWriteItem'], onlyLike('F#*', 'F!')],
      [['dynamodb:PutItem'], onlyLike('Q#*', 'F!', '!deployment')],
      [['dynamodb:UpdateItem'], onlyLike('F!', 'V#*')],
    ]);
    expect(onBodiesOf('functions/publish-changes.ts')).toEqual(['s3:GetObject']);
  });

  it('let what publishes later do no more than that, end what stands in the way of the feed, and keep how far it has come', () => {
    const only = (...partitions: string[]) => ({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': partitions },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });
    const beyond = (entry: string) =>
      onRowsOf(entry).filter(
        (grant) => !JSON.stringify(onRowsOf('functions/publish-changes.ts')).includes(JSON.stringify(grant)),
      );

    expect(beyond('functions/retry-parked.ts')).toEqual([[['dynamodb:DeleteItem'], only('F!', 'F!later')]]);
    expect(beyond('functions/reconcile-feed.ts')).toEqual([
      [['dynamodb:DeleteItem'], only('F!')],
      [['dynamodb:PutItem'], only('F!walk')],
    ]);
  });

  it('let nobody publish but what tells of changes and what decides on replays, and these only what the records are the source of', () => {
    const publishing = allows().filter(({ actions }) => actions.includes('events:PutEvents'));

    expect(publishing.map(({ holder, Condition }) => [holder.properties.Description, Condition]).toSorted()).toEqual(
      ['publish-changes', 'reconcile-feed', 'replay-changes', 'retry-parked'].map((name) => [
        `Concord production: functions/${name}.ts`,
        { StringEquals: { 'events:source': 'concord.records' } },
      ]),
    );
  });

  it('let what decides on replays read, take from its queue, and write nothing', () => {
    const actions = grantsOf('functions/replay-changes.ts').flatMap((grant) => grant.actions);

    expect(actions.filter((action) => !/^(?:kms|logs|sts|xray):/.test(action)).toSorted()).toEqual([
      'dynamodb:BatchGetItem',
      'dynamodb:GetItem',
      'dynamodb:Query',
      'events:PutEvents',
      's3:GetObject',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ReceiveMessage',
    ]);
  });

  it.each([
    ['add-token-claims', ['!deployment', '!applications']],
    ['add-patient-claims', ['!deployment']],
  ])('let %s write the access log, make the row that ids are made from, and read %j alone', (name, read) => {
    expect(onRowsOf(`functions/${name}.ts`)).toEqual([
      [
        ['dynamodb:GetItem'],
        {
          'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': read },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      ],
      [
        ['dynamodb:PutItem'],
        {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['A#*', '!deployment'] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      ],
    ]);
  });

  it('let what follows the user pool write the log and who is denied, and read of records nothing', () => {
    const allowed = onRowsOf('functions/follow-user-pool.ts').map(([actions, condition]) => [
      actions,
      Object.values(condition ?? {})[0],
    ]);

    expect(allowed).toEqual([
      [['dynamodb:GetItem'], { 'dynamodb:LeadingKeys': ['!deployment'] }],
      [['dynamodb:PutItem'], { 'dynamodb:LeadingKeys': ['A#*', '!denied', '!deployment'] }],
      [['dynamodb:Query'], { 'dynamodb:LeadingKeys': ['A#*'] }],
    ]);
  });

  it('let what files accesses write the access log alone, and read where chains end and who keeps a chart', () => {
    const only = (comparison: string, ...partitions: string[]) => ({
      [`ForAllValues:${comparison}`]: { 'dynamodb:LeadingKeys': partitions },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    });

    expect(onRowsOf('functions/file-accesses.ts')).toEqual([
      [['dynamodb:PutItem'], only('StringLike', 'A#*', 'A~*', 'D#*')],
      [['dynamodb:DeleteItem'], only('StringLike', 'D#*')],
      [['dynamodb:Query'], only('StringLike', 'A#*#chain')],
      [
        ['dynamodb:BatchGetItem'],
        {
          ...only('StringLike', 'C#*'),
          'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'custodian'] },
          StringEqualsIfExists: { 'dynamodb:Select': 'SPECIFIC_ATTRIBUTES' },
          Null: { 'dynamodb:LeadingKeys': 'false', 'dynamodb:Attributes': 'false' },
        },
      ],
    ]);
  });

  it('let what shows what was changed read, and write its trace, who asks, what could not be shown and the first secret alone', () => {
    expect(onRowsOf('functions/history.ts')).toEqual([
      [['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], undefined],
      [
        ['dynamodb:PutItem'],
        {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['A#*', '!deployment', '!listeners', 'F!later'] },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      ],
    ]);
    expect(onBodiesOf('functions/history.ts')).toEqual(['s3:GetObject']);
  });
});
