import type { ErrorDetail } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { ValidationIssue } from '../../fhir/validation-issue.ts';
import type { OrderCheck } from '../../order-checks/check-order.ts';
import type { Finding } from '../../order-checks/findings.ts';
import type { NotChecked } from '../../order-checks/words.ts';

// How what a check has found is told: in a refusal, beside the answer, and in a record of its own.

const url = 'https://concord.example/fhir/StructureDefinition/order-check';
const system = 'https://concord.example/fhir/CodeSystem/order-check';
const medicine = 'MedicationRequest.medication[x]';

const extensionOf = ({ code, severity, record, rule, source, edition }: Finding): fhir4.Extension => ({
  url,
  extension: [
    { url: 'code', valueCode: code },
    { url: 'severity', valueCode: severity },
    ...(record === undefined ? [] : [{ url: 'record', valueReference: { reference: record } }]),
    ...(rule === undefined ? [] : [{ url: 'rule', valueString: rule }]),
    ...(source === undefined
      ? []
      : [
          { url: 'source', valueUrl: source.url },
          { url: 'sourceTitle', valueString: source.title },
          { url: 'sourcePlace', valueString: source.where },
        ]),
    { url: 'edition', valueString: edition },
  ],
});

/** What was not checked, for programs. */
const openOf = ({ kind, code, record }: NotChecked, edition: string | undefined): fhir4.Extension => ({
  url,
  extension: [
    { url: 'kind', valueCode: kind },
    { url: 'code', valueCode: code },
    ...(record === undefined ? [] : [{ url: 'record', valueReference: { reference: record } }]),
    ...(edition === undefined ? [] : [{ url: 'edition', valueString: edition }]),
  ],
});

/** The rule that a DetectedIssue was made by, as `code rule`; undefined for one that no check has made. */
export const ruleToldBy = ({ extension }: fhir4.DetectedIssue): string | undefined => {
  const told = extension?.find((each) => each.url === url)?.extension ?? [];
  const code = told.find((each) => each.url === 'code')?.valueCode;
  return code && ruleText(code, told.find((each) => each.url === 'rule')?.valueString);
};

/** The rule of a finding, in the same words. */
export const ruleOf = ({ code, rule }: Finding): string => ruleText(code, rule);

const ruleText = (code: string, rule: string | undefined): string => `${code} ${rule ?? ''}`;

const inWords = ({ severity, text, record }: Finding): string =>
  `${severity}: ${text}${record === undefined ? '' : ` (${record})`}`;

/** Those that say something new in words, of the first record each: of a hundred records of one medicine, one is kept. */
export const eachOnce = (findings: readonly Finding[]): readonly Finding[] => {
  const said = new Map<string, Finding>();
  for (const finding of findings) if (!said.has(finding.text)) said.set(finding.text, finding);
  return [...said.values()];
};

/** What a finding of a stored order is about. */
export const implicatedIn = (order: string, { record }: Finding): readonly string[] => [
  order,
  ...(record === undefined ? [] : [record]),
];

/** What stops an order, for who signs it. */
export const detailsOf = (findings: readonly Finding[]): ErrorDetail[] =>
  findings.map((finding) => ({
    expression: medicine,
    message: inWords(finding),
    extension: [extensionOf(finding)],
  }));

/** What is told beside an order that goes on: what was found, and what was not checked. */
export const warningsOf = ({ findings, notChecked, edition }: OrderCheck): ValidationIssue[] => [
  ...findings.map((finding) => ({
    severity: 'warning' as const,
    code: 'value' as const,
    expression: medicine,
    message: inWords(finding),
    extension: [extensionOf(finding)],
  })),
  ...notChecked.map((open) => ({
    severity: 'information' as const,
    code: 'not-supported' as const,
    expression: medicine,
    message: `${open.kind}: ${open.text}${open.record === undefined ? '' : ` (${open.record})`}`,
    extension: [openOf(open, edition)],
  })),
];

const severities = { contraindicated: 'high', serious: 'high', moderate: 'moderate' } as const;

/** Who goes on in spite of a finding, and why. */
export interface Overriding {
  readonly reason: string;
  /** `Type/id`. */
  readonly by: string;
}

/**
 * A finding as a record of the chart. https://hl7.org/fhir/R4/detectedissue.html
 *
 * @param implicated - `Type/id` of the order that was checked, and of the record that it clashes with, as far as they are stored.
 * @param now - milliseconds since 1970.
 * @param security - labels of what it tells of.
 */
export const detectedIssueOf = (
  finding: Finding,
  {
    implicated,
    patient,
    now,
    security,
    overriding,
  }: {
    readonly implicated: readonly string[];
    readonly patient: string;
    readonly now: number;
    readonly security: readonly fhir4.Coding[];
    readonly overriding?: Overriding;
  },
): Resource => {
  const identified = new Date(now).toISOString();
  const issue: fhir4.DetectedIssue = {
    resourceType: 'DetectedIssue',
    ...(security.length > 0 ? { meta: { security: [...security] } } : {}),
    status: 'final',
    code: { coding: [{ system, code: finding.code }], text: finding.text },
    severity: severities[finding.severity],
    patient: { reference: patient },
    identifiedDateTime: identified,
    ...(implicated.length > 0 ? { implicated: implicated.map((reference) => ({ reference })) } : {}),
    detail: inWords(finding),
    ...(finding.source ? { reference: finding.source.url } : {}),
    ...(overriding
      ? {
          mitigation: [{ action: { text: overriding.reason }, date: identified, author: { reference: overriding.by } }],
        }
      : {}),
    extension: [extensionOf(finding)],
  };
  return issue as unknown as Resource;
};
