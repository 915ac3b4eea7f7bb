import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { cdkContext } from '../../infra/cdk-context.ts';
import { deployChoices } from '../../infra/deploy/choices.ts';
import { DeployerStack } from '../../infra/deployer/deployer-stack.ts';
import { parseSettings } from '../../infra/deployer/settings.ts';
import { stages } from '../../infra/stages.ts';
import { synthesised } from '../support/synthesised.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, '.github/workflows');
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(path.join(folder, name), 'utf8') }));
const textOf = (name: string) => workflows.find((each) => each.name === name)?.text ?? '';
const scripts = Object.keys(
  (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);
const settings = parseSettings(
  JSON.parse(readFileSync(path.join(root, 'infra/deployer/settings.example.json'), 'utf8')),
);

describe('the pipeline', () => {
  it('uses actions by the commit that was looked at, and nothing of the moment', () => {
    const used = workflows.flatMap(({ text }) => [...text.matchAll(/uses: (\S+)/g)].map(([, name = '']) => name));

    expect(used.length).toBeGreaterThan(5);
    for (const name of used) expect(name).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it('runs scripts that there are: check, synth of each stage, diff, deploy', () => {
    const run = workflows.flatMap(({ text }) => [...text.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name));

    expect([...new Set(run)].sort()).toEqual(['check', 'deploy', 'diff', 'synth']);
    for (const name of run) expect(scripts).toContain(name);
    const listed = `[${stages
      .map(({ name }) => name)
      .sort()
      .join(', ')}]`;
    expect(textOf('check.yml')).toContain(`stage: ${listed}`);
    expect(textOf('deploy.yml')).toContain(`options: ${listed}`);
    expect(deployChoices(['--stage', 'production', '--yes']).yes).toBe(true);
  });

  it('gives a run nothing but what it reads, and identity to the runs that need an account alone', () => {
    for (const { text } of workflows) expect(text).toMatch(/^permissions:\n {2}contents: read$/m);
    expect(textOf('check.yml')).not.toMatch(/id-token|secrets\.|configure-aws-credentials/);
    expect(textOf('deploy.yml')).not.toContain('secrets.');
    for (const { text } of workflows) expect(text).not.toMatch(/pull_request_target/);
  });

  it('deploys only behind the comparison, in the environment of the stage, and is never stopped halfway', () => {
    expect(textOf('deploy.yml')).toMatch(/needs: diff\n[^]*environment: \$\{\{ inputs\.stage \}\}/);
    expect(textOf('deploy.yml')).toContain('cancel-in-progress: false');
  });
});

describe('the roles of the pipeline', () => {
  const app = new App({ context: cdkContext });
  const template = Template.fromStack(
    new DeployerStack(app, 'deployer', { settings, env: { region: settings.region } }),
  );
  const trusted = (subject: string) => ({
    Statement: [
      {
        Action: 'sts:AssumeRoleWithWebIdentity',
        Effect: 'Allow',
        Principal: { Federated: Match.anyValue() },
        Condition: {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': subject,
          },
        },
      },
    ],
  });

  it('are taken on by runs of one repository alone: of its branch to compare, of the stage’s environment to deploy', () => {
    template.resourceCountIs('AWS::IAM::Role', 2);
    for (const subject of [
      'repo:example-network/concord:ref:refs/heads/main',
      'repo:example-network/concord:environment:dev',
    ])
      template.hasResourceProperties('AWS::IAM::Role', {
        AssumeRolePolicyDocument: Match.objectLike(trusted(subject)),
      });
  });

  it('may read stacks of their stage and take on roles of CDK, and nothing else', () => {
    const roles = Object.values(template.findResources('AWS::IAM::Role')) as {
      Properties: {
        ManagedPolicyArns?: unknown;
        Policies: { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } }[];
      };
    }[];
    const allowed = roles.map(({ Properties: { ManagedPolicyArns, Policies } }) => {
      expect(ManagedPolicyArns).toBeUndefined();
      return Policies.flatMap(({ PolicyDocument: { Statement } }) => Statement);
    });

    expect(new Set(allowed.flat().flatMap(({ Action }) => Action))).toEqual(
      new Set(['cloudformation:DescribeStacks', 'cloudformation:GetTemplate', 'sts:AssumeRole']),
    );
    const taken = allowed.flat().filter(({ Action }) => [Action].flat().includes('sts:AssumeRole'));
    expect(taken).toHaveLength(1); // comparing takes on nothing
    expect(JSON.stringify(taken)).not.toContain('*');
    expect(JSON.stringify(allowed.flat())).not.toContain('"Resource":"*"');
  });

  it('are for a repository that is named whole', () => {
    expect(() => parseSettings({ ...settings, repository: 'example-network/*' })).toThrow();
    expect(() => parseSettings({ ...settings, repository: 'example-network' })).toThrow();
  });
});

describe('the budget', () => {
  it('writes to somebody before a month has cost what it may, and when it will', () => {
    const [budget = { properties: {} }] = synthesised().resources('AWS::Budgets::Budget');
    const { Budget, NotificationsWithSubscribers } = budget.properties as {
      Budget: object;
      NotificationsWithSubscribers: {
        Notification: { NotificationType: string; Threshold: number };
        Subscribers: object[];
      }[];
    };

    expect(Budget).toMatchObject({
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 2_000, Unit: 'USD' },
    });
    expect(
      NotificationsWithSubscribers.map(({ Notification: { NotificationType, Threshold } }) => [
        NotificationType,
        Threshold,
      ]),
    ).toEqual([
      ['ACTUAL', 50],
      ['ACTUAL', 80],
      ['ACTUAL', 100],
      ['FORECASTED', 100],
    ]);
    for (const { Subscribers } of NotificationsWithSubscribers)
      expect(Subscribers).toEqual([{ SubscriptionType: 'EMAIL', Address: 'operations@concord.example' }]);
  });
});
