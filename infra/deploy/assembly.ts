import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';

/** A CloudFormation template. Of many shapes; whoever looks into one knows what for. */
export type Template = Readonly<Record<string, unknown>>;

/** A stack as it was synthesised. */
export interface SynthesisedStack {
  readonly name: string;
  readonly template: Template;
  readonly region: string;
  /** The least version of CDK's bootstrap stack that it can be deployed with. */
  readonly bootstrapVersion: number;
}

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      /** `aws://<account or unknown-account>/<region>`. */
      environment: z.optional(z.string()),
      dependencies: z.optional(z.array(z.string())),
      properties: z.optional(
        z.object({ templateFile: z.optional(z.string()), requiresBootstrapStackVersion: z.optional(z.number()) }),
      ),
    }),
  ),
});

/**
 * The stacks of a folder that was synthesised, each behind those that it uses.
 *
 * @throws ZodError if the folder's manifest is none.
 */
export const stacksIn = (folder: string): SynthesisedStack[] => {
  const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
  const { artifacts } = manifestSchema.parse(manifest);
  const ordered: SynthesisedStack[] = [];
  const visited = new Set<string>();
  const visit = (name: string): void => {
    const artifact = artifacts[name];
    if (artifact?.type !== 'aws:cloudformation:stack' || visited.has(name)) return;
    visited.add(name);
    for (const before of artifact.dependencies ?? []) visit(before);
    const { templateFile = '', requiresBootstrapStackVersion: bootstrapVersion = 0 } = artifact.properties ?? {};
    const template = JSON.parse(readFileSync(path.join(folder, templateFile), 'utf8')) as Template;
    ordered.push({ name, template, region: artifact.environment?.split('/').at(-1) ?? '', bootstrapVersion });
  };
  for (const name of Object.keys(artifacts)) visit(name);
  return ordered;
};
