import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { cdkContext } from '../../infra/cdk-context.ts';
import { addConcord } from '../../infra/concord-stacks.ts';
import { type StageConfig, stageNamed } from '../../infra/stages.ts';

export interface Resource {
  readonly id: string;
  /** Stack that it is in, such as `records`. */
  readonly part: string;
  readonly type: string;
  // A template is JSON of many shapes; each test knows its own.
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: string | undefined;
}

export interface Synthesised {
  readonly templates: Readonly<Record<'records' | 'signIn' | 'sharing' | 'api', Template>>;
  /** Of all stacks, optionally of one type such as `AWS::IAM::Role`. */
  readonly resources: (type?: string) => readonly Resource[];
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

const stages = new Map<string, Synthesised>();

/** The templates of a stage, made once a process. In place of bundles the functions hold next to nothing. */
export const synthesised = (stage = 'production'): Synthesised => {
  const known = stages.get(stage);
  if (known) return known;
  const made = synthesise(stageNamed(stage));
  stages.set(stage, made);
  return made;
};

/** The templates of a stage that is none of the project's. */
export const synthesise = (stage: StageConfig): Synthesised => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-templates-'));
  try {
    const app = new App({ outdir: path.join(folder, 'out'), context: cdkContext });
    const code = path.join(folder, 'code');
    mkdirSync(code);
    writeFileSync(path.join(code, 'index.js'), 'exports.handler = () => undefined;');
    const stacks = addConcord(app, stage, () => code);
    const parts = Object.entries(stacks).map(([part, stack]) => [part, Template.fromStack(stack)] as const);
    const all = parts.flatMap(([part, template]) =>
      Object.entries(template.toJSON().Resources as Record<string, RawResource>).map(
        ([id, { Type, Properties = {}, DeletionPolicy }]): Resource => ({
          id,
          part,
          type: Type,
          properties: Properties,
          deletionPolicy: DeletionPolicy,
        }),
      ),
    );
    return {
      templates: Object.fromEntries(parts) as unknown as Synthesised['templates'],
      resources: (type) => all.filter((resource) => type === undefined || resource.type === type),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The source that a function is made of, as its description names it. */
export const entryOf = ({ properties }: Resource): string =>
  /functions\/\S+\.ts$/.exec(String(properties.Description))?.[0] ?? '';
