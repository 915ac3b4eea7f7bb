import { expect } from 'vitest';

import type { FhirServer } from './fhir-server.ts';
import { encounterBody, observationBody, organizationBody, patientBody, system } from './records.ts';
import { rewriteTexts } from './rewrite-texts.ts';

/** What resources of tests refer to, in the order in which it can be stored. */
const referredTo: readonly fhir4.FhirResource[] = [
  organizationBody({ id: '1' }),
  { resourceType: 'Practitioner', id: '1', name: [{ family: 'Sample' }] },
  patientBody({ id: '1' }),
  encounterBody('Patient/1', { id: '1' }),
  observationBody('Patient/1', { id: '1' }),
  observationBody('Patient/1', { id: '2' }),
];

/** Stores `Patient/1` and others that the resources for each profile of US Core refer to. */
export const storeReferredTo = async (server: FhirServer): Promise<void> => {
  for (const resource of referredTo) {
    const { status, text } = await server.put(`${resource.resourceType}/${resource.id}`, resource, { as: system });
    expect(status, text).toBe(201);
  }
};

/** A copy that refers to those instead of to others of their types. */
export const referringThere = <T extends fhir4.FhirResource>(resource: T): T => {
  const copy = structuredClone(resource);
  const types = new Set<string>(referredTo.map(({ resourceType }) => resourceType));
  rewriteTexts(copy, (reference) => {
    const [, type = ''] = /^([A-Z]\w+)\/[^/?]+$/.exec(reference) ?? [];
    return types.has(type) ? `${type}/1` : undefined;
  });
  return copy;
};
