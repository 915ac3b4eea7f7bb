import type { StageConfig } from '../../stages.ts';

/** A resource as a template has it. */
export interface TemplateResource {
  /** Stack that it is in, such as `records`. */
  readonly stack: string;
  /** Its id in the template. */
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** What becomes of it when it leaves its stack, or is replaced. */
  readonly kept: { readonly deletion: string | undefined; readonly replacement: string | undefined };
}

/** What a rule has to say against a resource. */
export interface Violation {
  readonly resource: TemplateResource;
  /** What of the resource, where it may have several. */
  readonly finding?: string;
  readonly says: string;
}

/** A rule of our own about all templates of a stage, for what the packs of cdk-nag do not look at. */
export interface OwnRule {
  readonly name: `Concord-${string}`;
  /** What it asks for. */
  readonly asks: string;
  /** Why the packs do not see to it. */
  readonly because: string;
  readonly violations: (resources: readonly TemplateResource[], stage: StageConfig) => Violation[];
}

interface RawTemplate {
  readonly Resources?: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties?: Readonly<Record<string, unknown>>;
        readonly DeletionPolicy?: string;
        readonly UpdateReplacePolicy?: string;
      }
    >
  >;
}

/** The resources of templates, by name of their stack such as `records`. */
export const resourcesIn = (templates: Readonly<Record<string, unknown>>): TemplateResource[] =>
  Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries((template as RawTemplate).Resources ?? {}).map(
      ([id, { Type, Properties = {}, DeletionPolicy, UpdateReplacePolicy }]) => ({
        stack,
        id,
        type: Type,
        properties: Properties,
        kept: { deletion: DeletionPolicy, replacement: UpdateReplacePolicy },
      }),
    ),
  );

/** The name of a resource without what CDK makes of its path: `BodiesBucket7CDFEDE9` → `BodiesBucket`. */
export const nameOf = ({ id }: Pick<TemplateResource, 'id'>): string => id.replace(/[0-9A-F]{8}$/, '');

/** What something refers to in its own stack. */
export const referredTo = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Ref: ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: readonly string[] };
  return ref ?? attribute?.[0];
};

export const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
