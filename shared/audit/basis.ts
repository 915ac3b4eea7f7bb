import type { Basis } from '../access/question.ts';

/** By what right an access went beyond one's own: what opened another organisation's record, or for whom somebody acts. */
export type AccessBasis = Basis | 'break-glass' | 'delegation' | 'proxy';

/** What may be told of an access beside who did what. All of it is optional, and costs nothing where it is not there. */
export interface AccessCircumstances {
  /** Why, as a code of http://terminology.hl7.org/CodeSystem/v3-ActReason, such as `BTG`. */
  readonly purpose?: string;
  /** Reference of the organisation or person that the caller acts for, such as `Organization/northside`. */
  readonly behalf?: string;
  readonly basis?: AccessBasis;
  /** Name of the operation, such as `$everything`. */
  readonly operation?: string;
  /** `system|code` of the security labels of what was touched. */
  readonly labels?: readonly string[];
  /** What came of it, where the row is written once that is known. */
  readonly outcome?: 'refused' | 'failed';
}
