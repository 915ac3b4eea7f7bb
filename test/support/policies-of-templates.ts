import { type Resource, synthesised } from './synthesised.ts';

/** A statement of a template; what it is about by names such as `records/Table`. */
export interface TemplateStatement {
  /** Stack of who holds it. */
  readonly part: string;
  /** Logical id of the role that may do, or may not do, what it says. */
  readonly holder: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

interface RawStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: TemplateStatement['conditions'];
}

interface RawPolicy {
  readonly Statement: readonly RawStatement[];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html */
interface Reference {
  readonly Ref?: string;
  readonly 'Fn::GetAtt'?: readonly [string, string];
  readonly 'Fn::ImportValue'?: string;
  readonly 'Fn::Join'?: readonly [string, readonly unknown[]];
}

/** What a value of a template leads to: `records/Table` for the table of the records stack, however it is referred to. */
export const pointed = (value: unknown, part: string): string => {
  if (typeof value === 'string') return value;
  const reference = value as Reference;
  const id = reference.Ref ?? reference['Fn::GetAtt']?.[0];
  if (id?.startsWith('AWS::')) return id;
  if (id !== undefined) return `${part}/${id.slice(0, -8)}`;
  const exported = reference['Fn::ImportValue'] ?? '';
  const [, stack, name] =
    /^concord-\w+-([\w-]+):ExportsOutput(?:Ref|FnGetAtt)(\w+)[\dA-F]{8}(?:Arn|StreamArn)?[\dA-F]{8}$/.exec(exported) ??
    [];
  if (name !== undefined) return `${stack}/${name}${exported.includes('StreamArn') ? 'Stream' : ''}`;
  const [, parts] = reference['Fn::Join'] ?? ['', []];
  return parts.map((each) => pointed(each, part)).join('');
};

const read = (part: string, holder: string, raw: RawStatement, self?: string): TemplateStatement => ({
  part,
  holder,
  effect: raw.Effect,
  actions: [raw.Action].flat(),
  resources: [raw.Resource].flat().map((each) => self ?? pointed(each, part)),
  conditions: raw.Condition ?? {},
});

/** What the policies of roles say. */
export const roleStatements = (stage?: string): readonly TemplateStatement[] =>
  synthesised(stage)
    .resources('AWS::IAM::Role')
    .flatMap(({ id, part, properties }) =>
      ((properties.Policies ?? []) as readonly { readonly PolicyDocument: RawPolicy }[]).flatMap(({ PolicyDocument }) =>
        PolicyDocument.Statement.map((raw) => read(part, id, raw)),
      ),
    );

/** What the policies of keys allow roles. */
export const keyStatements = (stage?: string): readonly TemplateStatement[] =>
  synthesised(stage)
    .resources('AWS::KMS::Key')
    .flatMap(({ id, part, properties }: Resource) =>
      (properties.KeyPolicy as RawPolicy).Statement.flatMap((raw) => {
        const [, holder] = /"Fn::GetAtt":\["(\w+Role\w+)","Arn"\]/.exec(JSON.stringify(raw.Principal ?? '')) ?? [];
        return holder === undefined ? [] : [read(part, holder, raw, `${part}/${id.slice(0, -8)}`)];
      }),
    );
