/** On what the law lets a record be withheld: shared/access/withholding.ts says what each means. */
export type WithholdingReason = 'danger' | 'other-person' | 'representative';

/** A licensed professional's determination that the patient is not to see a record for now. https://www.law.cornell.edu/cfr/text/45/164.524 */
export interface Withholding {
  /** Who determined it, as `Type/id`. */
  readonly by: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Which ground of the law it rests on. */
  readonly reason: WithholdingReason;
  /** Why, in the professional's words: for staff alone. */
  readonly text: string;
  /** Whom the patient asks for a review, and how: told to the patient. */
  readonly review: string;
}

/** What closes a record beside its labels, and beside what it says. Few have one. */
export interface Seal {
  /** Who alone may see a psychotherapy note, as `Type/id`. */
  readonly originators?: readonly string[] | undefined;
  /** Psychotherapy notes that it names or has named, `Type/id`, each with who alone may see it. */
  readonly notes?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Given while the patient may not see it. */
  readonly withheld?: Withholding | undefined;
  /** It was in the wrong chart: nothing of any of its versions is shown to anybody. */
  readonly misfiled?: true | undefined;
}

export const isSealed = ({ originators, withheld }: Seal): boolean =>
  originators !== undefined || withheld !== undefined;
