import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import { cdkContext } from '../../infra/cdk-context.ts';
import { acknowledgements } from '../../infra/compliance/acknowledged.ts';
import { type Acknowledgement, findingOf, isAt } from '../../infra/compliance/acknowledgement.ts';
import { complianceComplaints } from '../../infra/compliance/check.ts';
import { complaintsOf, judge } from '../../infra/compliance/judge.ts';
import { findingsOf } from '../../infra/compliance/packs.ts';
import { addConcord } from '../../infra/concord-stacks.ts';
import { parseStage, stageNamed, stages } from '../../infra/stages.ts';
import { stackTemplates } from '../support/synthesised.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'concord-compliance-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const made = new Map<string, App>();

/** The stacks of a stage, made and not synthesised: the packs look at them as they are. */
const appOf = (name: string, stage = stageNamed(name)): App => {
  const known = made.get(name);
  if (known) return known;
  const folder = path.join(scratch, name);
  const code = path.join(folder, 'code');
  mkdirSync(code, { recursive: true });
  writeFileSync(path.join(code, 'index.js'), 'exports.handler = () => undefined;');
  const app = new App({ outdir: path.join(folder, 'out'), context: cdkContext });
  addConcord(app, stage, () => code);
  made.set(name, app);
  return app;
};

/** What the packs find as cdk-nag publishes them, which know only what is written at the constructs. */
const foundByPacks = (app: App): string[] =>
  [AwsSolutionsChecks, HIPAASecurityChecks].flatMap((Pack) =>
    new Pack().validateScope(app).violations.map(({ ruleName }) => ruleName),
  );

const staff = { rule: 'AwsSolutions-COG1', finding: undefined, place: 'sign-in/Staff/Resource', says: 'No symbols.' };
const acknowledged: Acknowledgement = { rule: 'AwsSolutions-COG1', where: ['sign-in/Staff/Resource'], reason: 'So.' };

describe('compliance of the stacks', () => {
  it.each(stages.map(({ name }) => name))(
    'of %s: AwsSolutions, HIPAA.Security and our own rules find nothing that has no reason, and no reason is for nothing',
    (name) => {
      expect(complianceComplaints(appOf(name), stackTemplates(name), stageNamed(name))).toEqual([]);
    },
  );

  it('is seen by the packs themselves, before the templates are made and afterwards', () => {
    const app = appOf('production');
    const stage = stageNamed('production');
    const before = findingsOf(app, stage);

    expect(foundByPacks(app)).toEqual([]);
    app.synth();
    expect(foundByPacks(app)).toEqual([]);
    expect(findingsOf(app, stage)).toEqual(before);
    expect(before.length).toBeGreaterThan(acknowledgements.length);
  });

  it('is looked at: a queue that is not encrypted is found by both packs', () => {
    const app = appOf('dev');
    const [stack] = app.node.children;
    if (!stack) throw new Error('There are no stacks');
    new CfnQueue(stack, 'Open');
    const place = `${stack.node.id.replace('concord-dev-', '')}/Open`;

    const found = complianceComplaints(app, stackTemplates('dev'), stageNamed('dev'));
    stack.node.tryRemoveChild('Open');

    expect(found.filter((complaint) => complaint.startsWith(`${place}: AwsSolutions-SQS4: `))).toHaveLength(1);
    expect(found.every((complaint) => complaint.startsWith(`${place}: `))).toBe(true);
  });

  it.each<[string, object]>([
    [
      'elsewhere',
      {
        backup: {
          dailyDays: 35,
          monthlyDays: 395,
          copyTo: 'arn:aws:backup:us-east-1:111122223333:backup-vault:copies',
        },
        partners: [
          { organization: 'lakeside', busArn: 'arn:aws:events:us-east-1:111122223333:event-bus/concord-changes' },
        ],
        recovery: {
          region: 'us-west-2',
          writer: 'here',
          standby: {
            streamArn: 'arn:aws:dynamodb:us-west-2:111122223333:table/concord-elsewhere/stream/2026-01-01T00:00:00.000',
            secretsKeyId: 'mrk-11111111222222223333333344444444',
          },
        },
      },
    ],
    [
      'named',
      {
        domain: { name: 'ehr.network.example', certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/1' },
        open: false,
      },
    ],
  ])(
    'of a stage with what is optional, %s: the packs find nothing that has no reason, and no reason is for nothing',
    (name, settings) => {
      const stage = parseStage({ ...stageNamed('production'), ...settings, name });
      const ofPacks = acknowledgements.filter(({ rule }) => !rule.startsWith('Concord-'));

      expect(complaintsOf(judge(findingsOf(appOf(name, stage), stage), ofPacks, stage))).toEqual([]);
    },
  );

  it('has a reason in words for every acknowledgement', () => {
    for (const { reason, where } of acknowledgements) {
      expect(reason.split(' ').length).toBeGreaterThan(8);
      expect(where).not.toEqual([]);
    }
  });
});

describe('judge', () => {
  const stage = stageNamed('dev');

  it('takes a finding that is acknowledged where it was found', () => {
    expect(complaintsOf(judge([staff], [acknowledged], stage))).toEqual([]);
  });

  it.each([
    ['nobody has acknowledged', []],
    ['is acknowledged elsewhere', [{ ...acknowledged, where: ['sign-in/Patients/Resource'] }]],
    ['is acknowledged in part', [{ ...acknowledged, finding: 'Resource::*' }]],
    ['another stage has acknowledged', [{ ...acknowledged, when: () => false }]],
  ])('tells of a finding that %s', (_, acknowledgements) => {
    const { unacknowledged } = judge([staff], acknowledgements, stage);

    expect(unacknowledged).toEqual([staff]);
  });

  it('tells of an acknowledgement that nothing needs, by its place', () => {
    const wide = { ...acknowledged, where: [...acknowledged.where, 'sign-in/Patients/Resource'] };

    expect(complaintsOf(judge([staff], [wide], stage))).toEqual([
      expect.stringMatching(/^sign-in\/Patients\/Resource: AwsSolutions-COG1: acknowledged and not found/),
    ]);
    expect(judge([], [acknowledged], stage).unneeded).toEqual([
      { rule: acknowledged.rule, finding: undefined, where: 'sign-in/Staff/Resource' },
    ]);
    expect(judge([], [{ ...acknowledged, when: () => false }], stage).unneeded).toEqual([]);
  });
});

describe('findingOf', () => {
  it.each([
    ['of its own stack', 'Resource::<BodiesBucket7CDFEDE9.Arn>/*', 'Resource::<BodiesBucket.Arn>/*'],
    [
      'of another stack',
      'Resource::concord-dev-documents:ExportsOutputFnGetAttBodiesBucket7CDFEDE9Arn56676975/*',
      'Resource::<BodiesBucket.Arn>/*',
    ],
    [
      'by name',
      'Resource::concord-dev-documents:ExportsOutputRefBodiesBucket7CDFEDE956676975',
      'Resource::<BodiesBucket>',
    ],
    [
      'in a region',
      'Resource::arn:aws:events:us-east-1:<AWS::AccountId>:rule/A*',
      'Resource::arn:aws:events:<region>:<AWS::AccountId>:rule/A*',
    ],
  ])('names a resource %s alike', (_, id, finding) => {
    expect(findingOf(`AwsSolutions-IAM5[${id}]`, 'api/Binary-Role/Resource', stageNamed('dev'))).toEqual({
      rule: 'AwsSolutions-IAM5',
      finding,
      place: 'api/Binary-Role/Resource',
    });
  });
});

describe('isAt', () => {
  it.each([
    ['api/*-Role/Resource', 'api/Patient-Role/Resource', true],
    ['api/*/Resource', 'api/Patient/Resource', true],
    ['api/*/Resource', 'api/Api/Account/Resource', false],
    ['api/*-Role/Resource', 'sharing/Patient-Role/Resource', false],
    ['api/*-Role/Resource', 'api/Role/Resource', false],
    ['api/*/*Over*/Resource', 'api/Latency/FastOver5m/Resource', true],
    ['api/*/*Over*/Resource', 'api/Latency/Fast/Resource', false],
    ['api/Api/Resource', 'api/Api', false],
    ['api/Api', 'api/Apis', false],
  ])('%s names %s: %s', (pattern, place, expected) => {
    expect(isAt(pattern, place)).toBe(expected);
  });
});
