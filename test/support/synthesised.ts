import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { inject } from 'vitest';
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
  readonly templates: Readonly<
    Record<'records' | 'documents' | 'backups' | 'signIn' | 'sharing' | 'api' | 'observability', Template>
  >;
  /** Of all stacks, optionally of one type such as `AWS::IAM::Role`. */
  readonly resources: (type?: string) => readonly Resource[];
}

interface RawResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

const stages = new Map<string, Synthesised>();

/** By name of the stack, as JSON. */
type Templates = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The templates of a stage, made once a run of the tests, which takes some six seconds of a core. In place of bundles the functions hold next to nothing. */
export const synthesised = (stage = 'production'): Synthesised => {
  const known = stages.get(stage);
  if (known) return known;
  const file = path.join(inject('folderOfRun'), `templates-${stage}.json`);
  const templates = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Templates)
    : templatesOf(stageNamed(stage));
  if (!existsSync(file)) {
    const written = `${file}.${randomUUID()}`;
    writeFileSync(written, JSON.stringify(templates));
    renameSync(written, file); // whole or not at all
  }
  const made = read(templates);
  stages.set(stage, made);
  return made;
};

/** The templates of a stage by the name of their stack, such as `sign-in`. */
export const stackTemplates = (stage?: string): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(synthesised(stage).templates).map(([part, template]) => [
      part.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`),
      template.toJSON() as unknown,
    ]),
  );

/** The templates of a stage that is none of the project's. */
export const synthesise = (stage: StageConfig): Synthesised => read(templatesOf(stage));

const read = (templates: Templates): Synthesised => {
  const all = Object.entries(templates).flatMap(([part, { Resources }]) =>
    Object.entries(Resources as Record<string, RawResource>).map(
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
    templates: Object.fromEntries(
      Object.entries(templates).map(([part, template]) => [part, Template.fromJSON(template)]),
    ) as unknown as Synthesised['templates'],
    resources: (type) => all.filter((resource) => type === undefined || resource.type === type),
  };
};

const templatesOf = (stage: StageConfig): Templates => {
  const folder = mkdtempSync(path.join(tmpdir(), 'concord-templates-'));
  try {
    const app = new App({ outdir: path.join(folder, 'out'), context: cdkContext });
    const code = path.join(folder, 'code');
    mkdirSync(code);
    writeFileSync(path.join(code, 'index.js'), 'exports.handler = () => undefined;');
    const stacks = addConcord(app, stage, () => code);
    return Object.fromEntries(
      Object.entries(stacks).map(([part, stack]) => [part, Template.fromStack(stack).toJSON()]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The source that a function is made of, as its description names it. */
export const entryOf = ({ properties }: Resource): string =>
  /functions\/\S+\.ts$/.exec(String(properties.Description))?.[0] ?? '';
