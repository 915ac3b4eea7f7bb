import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fullDiff } from '@aws-cdk/cloudformation-diff';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { stacksIn } from '../../infra/deploy/assembly.ts';
import { type DeployChoices, deployChoices } from '../../infra/deploy/choices.ts';
import { deployStage, type Surroundings } from '../../infra/deploy/deployment.ts';
import { lossesOf } from '../../infra/deploy/losses.ts';
import { hindrances } from '../../infra/deploy/preflight.ts';
import { cdkDeployArguments } from '../../infra/deploy/run-cdk.ts';
import { smoke } from '../../infra/deploy/smoke.ts';
import { statefulResources } from '../../infra/deploy/stateful-resources.ts';
import { parseStage, stageNamed } from '../../infra/stages.ts';
import { startCloudFormation, type ToldStack } from '../support/deploy/cloud-formation.ts';
import { synthesised } from '../support/synthesised.ts';

const dev = stageNamed('dev');
const committed = { commit: '0123456789abcdef', changed: [] };

interface AnyTemplate {
  Resources: Record<string, { Type: string; DeletionPolicy?: string; Properties: Record<string, unknown> }>;
}

describe('choices of a deployment', () => {
  it('name the stage: leaving it out deploys nothing', () => {
    expect(deployChoices(['--stage', 'dev', '--yes'])).toEqual({
      stage: dev,
      yes: true,
      allowReplacement: false,
      uncommitted: false,
    });
    expect(() => deployChoices([])).toThrow('Name the stage: npm run deploy -- --stage dev');
    expect(() => deployChoices(['--stage', 'prod'])).toThrow('There is no stage "prod". Stages: production, dev');
    expect(() => deployChoices(['--stage', 'dev', '--force'])).toThrow("Unknown option '--force'");
  });
});

describe('what speaks against a deployment', () => {
  it('is a file in no commit, unless that is said', () => {
    const changed = { ...committed, changed: ['infra/stages.ts'] };

    expect(hindrances(dev, committed, false)).toEqual([]);
    expect(hindrances(dev, changed, true)).toEqual([]);
    expect(hindrances(dev, changed, false).map(({ what }) => what)).toEqual([
      expect.stringContaining('1 files are in no commit, such as infra/stages.ts'),
    ]);
    expect(hindrances(dev, { commit: undefined, changed: [] }, false)).toHaveLength(1);
  });

  it('is a name in a protected stage that nobody can own', () => {
    const production = stageNamed('production');
    const own = parseStage({
      ...production,
      signIn: { ...production.signIn, callbackUrls: ['https://chart.example-hospital.org/signed-in'] },
    });

    expect(JSON.stringify(hindrances(production, committed, false))).toContain('https://concord.example/signed-in');
    expect(JSON.stringify(hindrances(own, committed, false))).not.toContain('https://concord.example/signed-in');
    expect(JSON.stringify(hindrances(own, committed, false))).not.toContain('example-hospital');
  });
});

describe('losses of a deployment', () => {
  const changed = (change: (template: AnyTemplate) => void) => {
    const deployed = synthesised().templates.records.toJSON() as AnyTemplate;
    const next = structuredClone(deployed);
    change(next);
    return lossesOf('records', fullDiff(deployed, next));
  };
  const first = ({ Resources }: AnyTemplate, type: string) => {
    const [id, found] = Object.entries(Resources).find(([, { Type }]) => Type === type) ?? [];
    if (id === undefined || !found) throw new Error(`There is no ${type}`);
    return { id, found };
  };

  it('are a table with another key, by what CloudFormation says of the property', () => {
    const losses = changed((template) => {
      first(template, 'AWS::DynamoDB::GlobalTable').found.Properties.KeySchema = [];
    });

    expect(losses).toMatchObject([{ type: 'AWS::DynamoDB::GlobalTable', how: 'replaced', because: ['KeySchema'] }]);
  });

  it('are a table that goes, also where it is kept outside of the stack, and a table that becomes something else', () => {
    const gone = changed((template) => {
      delete template.Resources[first(template, 'AWS::DynamoDB::GlobalTable').id];
    });
    const other = changed((template) => {
      first(template, 'AWS::DynamoDB::GlobalTable').found.Type = 'AWS::DynamoDB::Table';
    });

    expect(gone).toMatchObject([{ type: 'AWS::DynamoDB::GlobalTable', how: 'no longer part of the stack' }]);
    expect(other).toMatchObject([{ type: 'AWS::DynamoDB::GlobalTable' }]);
  });

  it('are none where a table changes in place, or what goes holds nothing', () => {
    const losses = changed((template) => {
      first(template, 'AWS::DynamoDB::GlobalTable').found.Properties.DeletionProtectionEnabled = false;
    });

    expect(losses).toEqual([]);
    expect(
      lossesOf('x', fullDiff({ Resources: { A: { Type: 'AWS::IAM::Role', Properties: {} } } }, { Resources: {} })),
    ).toEqual([]);
  });

  it('are known of each type of resource that production keeps when its stack goes', () => {
    const kept = synthesised()
      .resources()
      .flatMap(({ deletionPolicy, type }) => (deletionPolicy === 'Retain' ? [type] : []));

    const unknown = [...new Set(kept)].filter((type) => !Object.hasOwn(statefulResources, type));
    // The account's own setting of the gateway is kept for other APIs; its role with it.
    expect(unknown.filter((type) => !['AWS::ApiGateway::Account', 'AWS::IAM::Role'].includes(type))).toEqual([]);
  });
});

const scratch = mkdtempSync(path.join(tmpdir(), 'concord-deploy-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Two stacks as CDK writes them, the one that is used named last. */
const writeAssembly = (folder: string) => {
  const table = { Type: 'AWS::DynamoDB::GlobalTable', Properties: { KeySchema: [{ AttributeName: 'pk' }] } };
  const stacks = {
    'concord-dev-api': { dependencies: ['concord-dev-records'], template: { Resources: {} } },
    'concord-dev-records': { dependencies: [], template: { Resources: { Table: table } } },
  };
  mkdirSync(folder, { recursive: true });
  const artifacts = Object.entries(stacks).map(([name, { dependencies, template }]) => {
    const templateFile = `${name}.template.json`;
    writeFileSync(path.join(folder, templateFile), JSON.stringify(template));
    return [
      name,
      {
        type: 'aws:cloudformation:stack',
        environment: 'aws://unknown-account/us-east-1',
        dependencies,
        properties: { templateFile, requiresBootstrapStackVersion: 8 },
      },
    ];
  });
  const manifest = { version: '48.0.0', artifacts: Object.fromEntries(artifacts) };
  writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
};

describe('a synthesised folder', () => {
  it('has each stack behind those that it uses', () => {
    const folder = path.join(scratch, 'ordered');
    writeAssembly(folder);

    expect(stacksIn(folder).map(({ name }) => name)).toEqual(['concord-dev-records', 'concord-dev-api']);
  });

  it('is deployed by the CLI of CDK up to the call that needs an account', async () => {
    const folder = path.join(scratch, 'cli');
    writeAssembly(folder);

    const { stderr } = await promisify(execFile)(process.execPath, [...cdkDeployArguments(folder)], {
      cwd: scratch,
      env: { PATH: process.env.PATH, HOME: scratch, AWS_EC2_METADATA_DISABLED: 'true' },
    }).catch((error: { stderr: string }) => error);

    expect(stderr).toContain('Unable to resolve AWS account to use');
    expect(stderr).not.toContain('Unknown option');
  });
});

describe('a deployment', () => {
  const stacks = new Map<string, ToldStack>();
  const toolkit = { outputs: { BootstrapVersion: '25' } };
  const url = 'https://api.example/fhir';
  let cloudFormation: Awaited<ReturnType<typeof startCloudFormation>>;
  beforeAll(async () => {
    cloudFormation = await startCloudFormation(stacks);
  });
  afterAll(() => cloudFormation.stop());
  beforeEach(() => {
    stacks.clear();
    stacks.set('CDKToolkit', toolkit);
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', cloudFormation.endpoint);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_PROFILE', undefined);
    vi.stubEnv('HOME', scratch);
  });
  afterEach(() => vi.unstubAllEnvs());

  const deploy = async (choices: Partial<DeployChoices> = {}, around: Partial<Surroundings> = {}) => {
    const said: string[] = [];
    const deployed: string[][] = [];
    const status = await deployStage(
      { stage: dev, yes: true, allowReplacement: false, uncommitted: false, ...choices },
      {
        workingCopy: async () => committed,
        synthesise: async (folder) => {
          writeAssembly(folder);
          return 0;
        },
        deploy: async (folder) => {
          deployed.push(stacksIn(folder).map(({ name }) => name));
          stacks.set('concord-dev-records', {});
          stacks.set('concord-dev-api', { outputs: { Url: url, ExportsOutputRefX: 'x' } });
          return 0;
        },
        smoke: async () => undefined,
        confirm: async () => false,
        say: (line) => said.push(line),
        ...around,
      },
    ).catch((error: Error) => error.message);
    return { status, said: said.join('\n'), deployed };
  };

  it('compares, deploys what it compared, tells the outputs and tries what was deployed', async () => {
    const tried: unknown[] = [];

    const { status, said, deployed } = await deploy({}, { smoke: async (at, open) => void tried.push([at, open]) });

    expect(status).toBe(0);
    expect(deployed).toEqual([['concord-dev-records', 'concord-dev-api']]);
    expect(said).toContain('Account 111122223333, us-east-1');
    expect(said).toContain('concord-dev-records: new, 1 resources come, 0 change, 0 go');
    expect(said).toContain(`concord-dev-api.Url: ${url}`);
    expect(said).not.toContain('ExportsOutput');
    expect(tried).toEqual([[url, true]]);
  });

  it('closes a stage, and ends well where everybody is told so', async () => {
    const tried: unknown[] = [];

    const { status, said } = await deploy(
      { stage: { ...dev, open: false } },
      { smoke: async (at, open) => void tried.push([at, open]) },
    );

    expect(status).toBe(0);
    expect(tried).toEqual([[url, false]]);
    expect(said).toContain(`Concord is closed at ${url}`);
  });

  it('ends at the call that needs an account, and says what is missing, where there are no credentials', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);

    const { status, deployed } = await deploy();

    expect(status).toMatch(/^No AWS credentials were found\. .*aws sso login/s);
    expect(deployed).toEqual([]);
  });

  it.each([
    [
      'an account that was not made ready',
      () => stacks.delete('CDKToolkit'),
      /npx cdk bootstrap aws:\/\/<account>\/us-east-1/,
    ],
    [
      'an account that was made ready long ago',
      () => stacks.set('CDKToolkit', { outputs: { BootstrapVersion: '6' } }),
      /version 6 .* 8 is needed: npx cdk bootstrap aws:\/\/111122223333\/us-east-1/,
    ],
    [
      'a stack that CloudFormation cannot change now',
      () => stacks.set('concord-dev-records', { status: 'UPDATE_ROLLBACK_FAILED' }),
      /concord-dev-records is UPDATE_ROLLBACK_FAILED/,
    ],
    [
      'a table that would be replaced',
      () => {
        const Table = { Type: 'AWS::DynamoDB::GlobalTable', Properties: { KeySchema: [{ AttributeName: 'old' }] } };
        stacks.set('concord-dev-records', { template: { Resources: { Table } } });
      },
      /Table \(AWS::DynamoDB::GlobalTable\) would be replaced, because of KeySchema: with it goes all records.*--allow-replacement/s,
    ],
  ])('changes nothing for %s', async (_, given, refusal) => {
    given();

    const { status, deployed } = await deploy();

    expect(status).toMatch(refusal);
    expect(deployed).toEqual([]);
  });

  it.each([
    [
      'a release that cannot read what this one would write',
      { LayoutsRead: 'record=1', LayoutsWritten: 'record=1', Release: '0.0.1' },
      /\(0\.0\.1\) cannot read what this release would write: record in layout 5, of which 1 is read\. Deploy the release between/,
    ],
    [
      'a release of which this one cannot read what was written',
      { LayoutsRead: 'record=9', LayoutsWritten: 'record=9', Release: '9.0.0' },
      /cannot read what the deployed one \(9\.0\.0\) has written: record in layout 9, of which 5 is read\. .*roll-back\.md/,
    ],
  ])('leaves alone %s', async (_, outputs, refusal) => {
    stacks.set('concord-dev-api', { outputs });

    const { status, deployed } = await deploy();

    expect(status).toMatch(refusal);
    expect(deployed).toEqual([]);
  });

  it('synthesises what is checked out, and names it nowhere where files differ from it', async () => {
    const commits: (string | undefined)[] = [];
    const synthesise: Surroundings['synthesise'] = async (folder, _, commit) => {
      commits.push(commit);
      writeAssembly(folder);
      return 0;
    };

    await deploy({}, { synthesise });
    await deploy({ uncommitted: true }, { synthesise, workingCopy: async () => ({ ...committed, changed: ['a.ts'] }) });

    expect(commits).toEqual([committed.commit, undefined]);
  });

  it('replaces what holds something where that was said, and says it again', async () => {
    const Table = { Type: 'AWS::DynamoDB::GlobalTable', Properties: { KeySchema: [{ AttributeName: 'old' }] } };
    stacks.set('concord-dev-records', { template: { Resources: { Table } } });

    const { status, said } = await deploy({ allowReplacement: true });

    expect(status).toBe(0);
    expect(said).toContain('LOSS concord-dev-records: Table');
  });

  it('asks, and deploys only where it is told yes', async () => {
    const questions: string[] = [];
    const refused = await deploy({ yes: false });
    const agreed = await deploy({ yes: false }, { confirm: async (question) => questions.push(question) > 0 });

    expect(refused).toMatchObject({ status: 'Nothing was deployed.', deployed: [] });
    expect(agreed.deployed).toHaveLength(1);
    expect(questions).toEqual(['Deploy dev into account 111122223333, us-east-1?']);
  });

  it('refuses a working copy with changes before anything is synthesised', async () => {
    const synthesise = vi.fn(async () => 0);

    const { status } = await deploy({}, { synthesise, workingCopy: async () => ({ ...committed, changed: ['a.ts'] }) });

    expect(status).toContain('1 files are in no commit');
    expect(synthesise).not.toHaveBeenCalled();
  });

  it('passes on how CDK ended, and fails where what was deployed does not answer', async () => {
    const failed = await deploy({}, { deploy: async () => 3 });
    const silent = await deploy({}, { smoke: async () => 'no answer' });

    expect(failed.status).toBe(3);
    expect(silent).toMatchObject({ status: 1, said: expect.stringContaining('no answer') });
  });
});

describe('the first look at what was deployed', () => {
  const answering = async (answers: Readonly<Record<string, readonly [number, object]>>, open = true) => {
    const server = createServer((request, response) => {
      const [status, body] = answers[request.url ?? ''] ?? [404, {}];
      response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
    const wrong = await smoke(url, open, { tries: 2, pauseMs: 1 });
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    return wrong;
  };
  const described = [200, { resourceType: 'CapabilityStatement' }] as const;

  it('wants a description of the server, and a door that is closed without a token', async () => {
    expect(await answering({ '/fhir/metadata': described, '/fhir/Patient': [401, {}] })).toBeUndefined();
    expect(await answering({ '/fhir/metadata': described, '/fhir/Patient': [200, {}] })).toMatch(/not 401/);
    expect(await answering({ '/fhir/metadata': [503, {}] })).toMatch(/metadata answered 503/);
    const unreachable = await smoke('http://127.0.0.1:1/fhir', true, { tries: 2, pauseMs: 1 });
    expect(unreachable).toMatch(/^http:\/\/127.0.0.1:1.*(?:refused|bad port)/i);
  });

  it('wants the door of a closed stage to be closed to everybody', async () => {
    expect(await answering({ '/fhir/metadata': [503, {}] }, false)).toBeUndefined();
    expect(await answering({ '/fhir/metadata': described }, false)).toMatch(/answered 200, though the stage is closed/);
  });
});
