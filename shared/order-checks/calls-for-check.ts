import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { countedStates } from './current-medicines.ts';

// Which changes of a chart may speak against orders that are in force.

const changes = (before: Resource | undefined, next: Resource, elements: readonly string[]): boolean =>
  !before || elements.some((name) => stringifyJson(before[name]) !== stringifyJson(next[name]));

const has = (concept: unknown, codes: readonly string[]): boolean =>
  ((concept as fhir4.CodeableConcept | undefined)?.coding ?? []).some(({ code = '' }) => codes.includes(code));

/** An allergy that is new, or that says something else of what the patient must not be given. */
export const allergyCallsForCheck = (before: Resource | undefined, next: Resource | undefined): next is Resource =>
  next !== undefined &&
  !has(next['verificationStatus'], ['refuted', 'entered-in-error']) &&
  !has(next['clinicalStatus'], ['inactive', 'resolved']) &&
  changes(before, next, [
    'code',
    'category',
    'clinicalStatus',
    'verificationStatus',
    'reaction',
    'criticality',
    'type',
  ]);

/** A medicine that somebody is newly said to take. */
export const statementCallsForCheck = (before: Resource | undefined, next: Resource): boolean =>
  countedStates.MedicationStatement.includes(next['status'] as string) &&
  changes(before, next, ['status', 'medicationCodeableConcept', 'medicationReference', 'contained']);
