import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RenalRule } from './knowledge.ts';

const loinc = 'http://loinc.org';

/** LOINC: pregnancy status. https://loinc.org/82810-3 */
export const pregnancyStatus: readonly string[] = ['82810-3'];

/** LOINC codes of the values that rules of the kidneys are judged by. */
export const renalCodes: Readonly<Record<RenalRule['measure'], readonly string[]>> = {
  egfr: [
    '33914-3',
    '48642-3',
    '48643-1',
    '50044-7',
    '50210-4',
    '62238-1',
    '69405-9',
    '70969-1',
    '77147-7',
    '88293-6',
    '88294-4',
    '94677-2',
    '98979-8',
    '98980-6',
  ],
  clearance: ['35591-7'],
};

/** States of an Observation that say something: https://hl7.org/fhir/R4/valueset-observation-status.html */
export const countedResults: readonly string[] = ['preliminary', 'final', 'amended', 'corrected'];

const codes: ReadonlySet<string | undefined> = new Set([
  ...pregnancyStatus,
  ...renalCodes.egfr,
  ...renalCodes.clearance,
]);

const codesOf = (observation: Resource): readonly fhir4.Coding[] =>
  (observation['code'] as fhir4.CodeableConcept | undefined)?.coding ?? [];

const said = [
  'status',
  'code',
  'valueQuantity',
  'valueCodeableConcept',
  'effectiveDateTime',
  'effectiveInstant',
  'effectivePeriod',
  'issued',
];

/** An observation that newly says, or says otherwise, how the kidneys work or whether the patient is pregnant: the few that rules are judged by. Others cost nothing. */
export const observationCallsForCheck = (before: Resource | undefined, next: Resource): boolean =>
  codesOf(next).some(({ system, code }) => system === loinc && codes.has(code)) &&
  countedResults.includes(next['status'] as string) &&
  (!before || said.some((name) => stringifyJson(before[name]) !== stringifyJson(next[name])));
