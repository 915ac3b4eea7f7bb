import type { Caller } from '../../access/caller.ts';
import { emergencySystem, reviewCode } from '../../access/emergency.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';

/** How a record is named, given as `Type/id`. */
export type Naming = (name: string) => fhir4.Reference;

/** What somebody has done who broke the glass. */
export interface Broken {
  readonly patient: StoredRecord & { readonly resource: Resource };
  readonly caller: Caller;
  readonly because: string;
  readonly naming: Naming;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly until: number;
}

/** What the privacy officers of an organisation have to look at, and close with a statement. https://hl7.org/fhir/R4/task.html */
export const reviewFor = (organization: string, { patient, caller, because, naming, now, until }: Broken): Resource => {
  const review: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    code: { coding: [{ system: emergencySystem, code: reviewCode, display: 'Review of an emergency access' }] },
    description:
      'The glass was broken for this patient. Look at each access in the log, and close this with a statement of the outcome',
    for: { reference: `Patient/${patient.id}` },
    authoredOn: new Date(now).toISOString(),
    requester: { ...naming(caller.fhirUser), identifier: { value: caller.subject }, display: caller.name },
    owner: naming(`Organization/${organization}`),
    performerType: [{ text: 'Privacy officer' }],
    reasonCode: { text: because },
    restriction: { period: { start: new Date(now).toISOString(), end: new Date(until).toISOString() } },
    input: [
      {
        type: { text: 'Organisation of whoever broke the glass' },
        valueReference: naming(`Organization/${caller.organization}`),
      },
      { type: { text: 'Access until' }, valueInstant: new Date(until).toISOString() },
    ],
  };
  return review as unknown as Resource;
};
