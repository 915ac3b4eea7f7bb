import type { RecordErrorKind } from './errors.ts';

/**
 * What a refusal of each kind may say more exactly than by the kind's own name. Programs act on these codes, so they stay as they are: one that
 * is not listed does not compile, and a test holds the table of docs/api.md to this list. For types and tests alone: no function bears it.
 */
export const refusalCodes = {
  malformed: ['validation'],
  invalid: [
    'patch-malformed',
    'profile-not-met',
    'validation',
    'not-supported',
    'not-in-bundle',
    'not-in-compartment',
    'page-link',
    'reference-not-found',
    'schedule-extension',
    'too-little-told',
  ],
  unauthenticated: ['token-missing', 'token-expired', 'token-invalid', 'token-claim', 'token-revoked'],
  forbidden: [
    'forbidden-scope',
    'forbidden-role',
    'forbidden-proxy',
    'forbidden-custodian',
    'no-delegation',
    'delegation-by-person',
    'overbooking',
    'read-only-type',
    'withheld',
    'no-own-record',
    'not-own-words',
    'consent-by-proxy',
    'label-of-programme',
    'not-originator',
  ],
  'not-found': ['no-such-path', 'no-such-type'],
  conflict: [
    'concurrent-change',
    'condition-not-met',
    'id-taken',
    'legal-hold',
    'referenced',
    'request-under-way',
    'task-taken',
    'time-taken',
  ],
  'no-match': ['reference-not-found'],
  'too-large': ['answer-too-large', 'consent-too-large', 'record-too-large', 'too-many-consents'],
  'business-rule': [
    'booking-too-long',
    'schedule-actors',
    'delegation',
    'idempotency-key-reused',
    'illegal-move',
    'move-needs-reason',
    'masked',
    'subsetted',
    'patch-does-not-fit',
    'patient-changed',
    'originator-unknown',
    'not-linkable',
    'too-many-linked',
    'payer-restricted',
    'restriction-asked',
    'restriction-stays',
    'restriction-changed',
    'restriction-answered',
    'restriction-needs-reason',
    'not-withholdable',
    'reviewer-determined',
    'not-licensed',
    'task-status',
    'no-such-proxy',
    'proxy-ended',
    'proxy-of-age',
    'proxy-age-unknown',
    'proxy-deceased',
    'proxy-not-deceased',
    'review-asked',
    'review-stays',
    'review-closed',
    'review-changed',
    'review-needs-outcome',
    'amendment-asked',
    'amendment-stays',
    'amendment-changed',
    'amendment-decided',
    'amendment-by-operation',
    'amendment-extended',
    'amendment-late',
    'not-an-amendment-request',
    'legal-hold',
    'retention',
    'linked-chart',
    'others-records',
    'shared-records',
    'binary-without-context',
    'attachment-missing',
    'merged-already',
    'not-merged',
    'not-signable',
    'questionnaire-answers',
    'not-signed',
    'signed',
  ],
  'too-costly': ['bundle-too-costly', 'search-too-long', 'too-many-days'],
  unavailable: ['denylist-unavailable'],
} as const satisfies Partial<Record<RecordErrorKind, readonly string[]>>;

/** What the gateway says by itself, and what an answer tells beside what was asked for. */
export const otherCodes = [
  'exception',
  'timeout',
  'quota-exceeded',
  'filtered',
  'unknown-path',
  'valid',
  'not-checked',
  'no-single-match',
  'more-exists',
] as const;

type Listed = typeof refusalCodes;

/** A code that a refusal of the kind may bear: its own name, or one that is listed. */
export type RefusalCode<Kind extends RecordErrorKind = RecordErrorKind> = Kind extends keyof Listed
  ? Kind | Listed[Kind][number]
  : Kind;

/** Any code of `https://concord.example/fhir/CodeSystem/refusal`. */
export type StableCode = RefusalCode | (typeof otherCodes)[number];
