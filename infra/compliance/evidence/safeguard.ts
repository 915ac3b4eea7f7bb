import type { Rule } from '../acknowledgement.ts';

/** Resources of the stacks that a safeguard rests on: at least one is like this, or the page of evidence is not written. */
export interface Construct {
  /** Stack that it is in, such as `records`. */
  readonly stack: string;
  /** Such as `AWS::DynamoDB::GlobalTable`. */
  readonly type: string;
  /** Properties that it has, among others. A list has each of these items among others. */
  readonly has?: Readonly<Record<string, unknown>>;
  /** What of it counts here. */
  readonly says: string;
}

/** A test that shows it: the file, and the name as it stands there. */
export type Shown = readonly [file: string, name: string];

/** A standard or specification of a regulation, and what of Concord meets it. */
export interface Safeguard {
  /** Such as `164.312(a)(2)(iv)`. */
  readonly citation: string;
  readonly title: string;
  /** How much of a choice there is: an addressable one is met, or it is said in writing why not. */
  readonly kind?: 'standard' | 'required' | 'addressable';
  /** How it is met. */
  readonly met: string;
  readonly constructs: readonly Construct[];
  /** Rules that `npm run synth` holds the stacks to. */
  readonly rules: readonly Rule[];
  readonly tests: readonly Shown[];
  /** What software cannot do: the duty of the network that deploys it. */
  readonly yours?: string;
}
