import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { cdkContext } from '../../infra/cdk-context.ts';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { removeAssembly } from '../../infra/remove-assembly.ts';
import { synthChoices } from '../../infra/synth-choices.ts';
import { synthesised } from '../support/synthesised.ts';

const root = path.resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'concord-synth-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Ends the process at its first connection or look-up of a name. */
const noNetwork = `data:text/javascript,${encodeURIComponent(`
  import dns from 'node:dns';
  import net from 'node:net';
  import { syncBuiltinESMExports } from 'node:module';
  const refuse = () => { console.error('network was used'); process.exit(77); };
  net.Socket.prototype.connect = refuse;
  dns.lookup = refuse;
  syncBuiltinESMExports();
`)}`;

/** Runs `npm run synth` with no credentials to be found and no network. */
const synth = (args: readonly string[]) =>
  promisify(execFile)(process.execPath, [`--import=${noNetwork}`, path.join(root, 'infra/app.ts'), ...args], {
    cwd: scratch,
    env: { PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch },
  });

interface Manifest {
  readonly missing?: readonly unknown[];
  readonly artifacts: Readonly<Record<string, { type: string; environment?: string }>>;
}

describe('synth', () => {
  it('writes the templates of a stage and the code of every function, without network, credentials or look-ups', async () => {
    const folder = path.join(scratch, 'out');
    mkdirSync(folder);
    for (const name of ['manifest.json', 'concord-other-api.template.json'])
      writeFileSync(path.join(folder, name), '{}');

    const { stdout } = await synth(['--stage', 'dev', '--output', folder]);

    const { missing, artifacts } = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const stacks = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
    expect(stacks.map(([name]) => name).sort()).toEqual(
      ['api', 'backups', 'documents', 'observability', 'records', 'sharing', 'sign-in'].map(
        (part) => `concord-dev-${part}`,
      ),
    );
    expect(new Set(stacks.map(([, { environment }]) => environment))).toEqual(
      new Set(['aws://unknown-account/us-east-1']),
    );
    expect(missing ?? []).toEqual([]);
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    for (const [name] of stacks)
      expect(statSync(path.join(folder, `${name}.template.json`)).size).toBeLessThan(1_000_000);
    expect(stdout).toMatch(/^concord-dev-records: \d+ resources$/m);
    expect(existsSync(path.join(folder, 'concord-other-api.template.json'))).toBe(false);
    const code = readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'index.js')));
    expect(code).toHaveLength(functionEntries.length);
    for (const name of code) expect(statSync(path.join(folder, name, 'index.js')).size).toBeLessThanOrEqual(1_000_000);
  });

  it('obeys the CLI of CDK, which says the stage and the folder in its own way', () => {
    const chosen = synthChoices([], { CDK_OUTDIR: '/cli', CDK_CONTEXT_JSON: '{"stage":"dev"}' });

    expect(chosen).toMatchObject({ stage: { name: 'dev' }, outdir: '/cli', forCli: true });
    expect(synthChoices([], {})).toMatchObject({ stage: { name: 'production' }, forCli: false });
  });

  it('leaves alone a folder that holds something else', () => {
    const folder = path.join(scratch, 'mine');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'thesis.txt'), 'years of work');

    removeAssembly(folder);

    expect(existsSync(path.join(folder, 'thesis.txt'))).toBe(true);
  });

  it('names the stages when asked for one that there is not', async () => {
    await expect(synth(['--stage', 'prod'])).rejects.toThrow(/Stages: production, dev/);
  });

  it.each<[string, object, RegExp | undefined]>([
    ['a queue', { VisibilityTimeout: 30 }, undefined],
    ['a queue with a property that there is not', { Colour: 'blue' }, /'Colour' was unexpected/],
    ['a queue with a text for a number', { VisibilityTimeout: 'never' }, /is not of type 'integer'/],
    ['a queue beyond a limit', { VisibilityTimeout: 43_201 }, /greater than the maximum of 43200/],
  ])('fails for what CloudFormation would refuse, and for nothing else: %s', (_, properties, told) => {
    const app = new App({ outdir: mkdtempSync(path.join(scratch, 'refused-')), context: cdkContext });
    const stack = new Stack(app, 'stack', { env: { region: 'us-east-1' } });
    new CfnResource(stack, 'Queue', { type: 'AWS::SQS::Queue', properties: { ...properties } });
    const said = vi.spyOn(console, 'error').mockReturnValue();

    try {
      if (told) expect(() => app.synth()).toThrow(told);
      else app.synth();
      expect(said.mock.calls).toEqual([]);
    } finally {
      said.mockRestore();
    }
  });

  it('keeps every stack well below the 500 resources of CloudFormation', () => {
    const parts = Object.groupBy(synthesised().resources(), ({ part }) => part);

    expect(Object.keys(parts)).toHaveLength(8);
    for (const resources of Object.values(parts)) expect(resources?.length).toBeLessThanOrEqual(400);
  });

  it('lets a stack use only those before it', () => {
    const usedBy = (part: keyof ReturnType<typeof synthesised>['templates']) => {
      const text = JSON.stringify(synthesised().templates[part].toJSON());
      return [
        ...new Set([...text.matchAll(/"Fn::ImportValue":"concord-production-([a-z-]+):/g)].map(([, name]) => name)),
      ].sort();
    };

    expect(usedBy('records')).toEqual([]);
    expect(usedBy('documents')).toEqual(['records']);
    expect(usedBy('backups')).toEqual(['documents', 'records']);
    expect(usedBy('signIn')).toEqual(['documents', 'records']);
    expect(usedBy('sharing')).toEqual(['backups', 'documents', 'records']);
    expect(usedBy('api')).toEqual(['documents', 'records', 'sign-in']);
    expect(usedBy('observability')).toEqual(['api', 'records', 'sharing']);
  });
});
