import type { ErrorDetail } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { SupplyFinding } from '../../prescriptions/supply.ts';

// How what speaks against a dispense or an administration is told: in a refusal, and in a record of its own.

/** What speaks against it. Stable. */
export type UseCode = SupplyFinding['code'] | 'order-unsigned' | 'order-not-in-force' | 'order-of-another';

export interface UseFinding {
  readonly code: UseCode;
  readonly text: string;
}

const system = 'https://concord.example/fhir/CodeSystem/order-use';
const url = 'https://concord.example/fhir/StructureDefinition/order-use';

/** Those that nobody goes on in spite of. */
export const isFinal = ({ code }: UseFinding): boolean => code === 'order-not-in-force' || code === 'order-of-another';

export const detailsOf = (findings: readonly UseFinding[], expression: string): ErrorDetail[] =>
  findings.map(({ code, text }) => ({
    expression,
    message: text,
    extension: [{ url, extension: [{ url: 'code', valueCode: code }] }],
  }));

const shortestReason = 10;
const longestReason = 2_000;

/**
 * Findings that a dispense says to go on in spite of, and why: a contained DetectedIssue that it names, with the code of the finding and a mitigation in words. https://hl7.org/fhir/R4/medicationdispense-definitions.html#MedicationDispense.detectedIssue
 */
export const reasonedIn = ({ contained = [], detectedIssue = [] }: Resource): ReadonlySet<string> => {
  const named = new Set((detectedIssue as fhir4.Reference[]).map(({ reference }) => reference));
  const issues = (contained as fhir4.DetectedIssue[]).filter(
    ({ resourceType, id, mitigation = [] }) =>
      resourceType === 'DetectedIssue' &&
      named.has(`#${id}`) &&
      mitigation.some(({ action: { text = '' } }) => {
        const { length } = text.trim();
        return length >= shortestReason && length <= longestReason;
      }),
  );
  return new Set(
    issues.flatMap(({ code }) =>
      (code?.coding ?? []).flatMap((each) => (each.system === system ? (each.code ?? []) : [])),
    ),
  );
};

/** What happened all the same, as a record of the chart. https://hl7.org/fhir/R4/detectedissue.html */
export const issueOf = (
  finding: UseFinding,
  {
    patient,
    implicated,
    now,
    security,
  }: {
    readonly patient: string;
    /** `Type/id` of each. */
    readonly implicated: readonly string[];
    readonly now: number;
    readonly security: readonly fhir4.Coding[];
  },
): Resource => {
  const issue: fhir4.DetectedIssue = {
    resourceType: 'DetectedIssue',
    ...(security.length > 0 ? { meta: { security: [...security] } } : {}),
    status: 'final',
    code: { coding: [{ system, code: finding.code }], text: finding.text },
    severity: isFinal(finding) ? 'high' : 'moderate',
    patient: { reference: patient },
    identifiedDateTime: new Date(now).toISOString(),
    implicated: implicated.map((reference) => ({ reference })),
    detail: finding.text,
  };
  return issue as unknown as Resource;
};
