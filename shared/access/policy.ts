import type { CriticalResultsPolicy } from '../laboratory/critical-limits.ts';
import type { RetentionPolicy } from '../retention/policy.ts';
import type { FurtherCodes } from './derived-labels.ts';

/** What a network has agreed on, where the law leaves it the choice. Part of how it is deployed. */
export interface Policy {
  /** Whether a care relationship shares what it needs (`treatment`), or a patient's Consent alone does. What is not known is `opt-in`. */
  readonly sharing: string;
  /** How long a care relationship lasts after the visit has ended, or the referral is done. */
  readonly relationDays: number;
  /** Days in which a restriction that a patient asks for is answered. */
  readonly restrictionDays: number;
  /** How long a break-glass grant lasts; 12 hours at most, whatever this says. */
  readonly breakGlassMinutes: number;
  /** Whose law says until when others decide for a minor, and what a minor may consent to alone: a row of shared/access/proxies/ages.ts. */
  readonly jurisdiction: string;
  /** Codes that are sensitive here beside the starting set, by label of v3-ActCode: `{ "HIV": ["system|code", "system|beginning*"] }`. */
  readonly sensitiveCodes: FurtherCodes;
  /** How long charts are kept; `usualRetention` where it is not said. Whether that is the law of the place is for the deployment to say. */
  readonly retention?: RetentionPolicy;
  /** Whether charts whose time is over are ended by themselves, or proposed to privacy officers: so where it is not said. */
  readonly purges?: 'proposed' | 'automatic';
  /** Hours in which an order that was taken down is signed by who gave it: 48 where it is not said. */
  readonly cosignHours?: number;
  /** What may be uploaded, and who looks at it before: 100 MB and a scanner where it is not said. */
  readonly uploads?: UploadPolicy;
  /** Which results are critical, and how they come to somebody: docs/results.md. */
  readonly criticalResults?: CriticalResultsPolicy;
}

export interface UploadPolicy {
  /** Megabytes of 1,000,000 bytes that one upload may have. */
  readonly largestMegabytes: number;
  /** `none`, `guardduty`, or the ARN of the role of a scanner of one's own; see docs/attachments.md. */
  readonly scanner: string;
}

/** What holds where a deployment says nothing. */
export const usualPolicy: Policy = {
  sharing: 'opt-in',
  relationDays: 30,
  restrictionDays: 30,
  breakGlassMinutes: 60,
  jurisdiction: 'cautious',
  sensitiveCodes: {},
};
