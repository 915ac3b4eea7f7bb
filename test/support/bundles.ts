import { randomUUID } from 'node:crypto';
import type { TestBody } from './fhir-server.ts';
import { entriesOf } from './records.ts';

// Bundles for requests, entry by entry.

export const transactionOf = (...entry: fhir4.BundleEntry[]): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry,
});
export const batchOf = (...entry: fhir4.BundleEntry[]): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry,
});

/** A name for an entry that other entries may refer to. */
export const urn = (): string => `urn:uuid:${randomUUID()}`;

/** @param request - `ifNoneExist`, or whatever else the entry's request says. */
export const postEntry = (
  resource: fhir4.FhirResource,
  fullUrl: string = urn(),
  request: Partial<fhir4.BundleEntryRequest> = {},
): fhir4.BundleEntry => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType, ...request } });

export const putEntry = (
  resource: fhir4.FhirResource,
  request: Partial<fhir4.BundleEntryRequest> = {},
): fhir4.BundleEntry => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...request },
});

export const deleteEntry = (url: string): fhir4.BundleEntry => ({ request: { method: 'DELETE', url } });
export const getEntry = (url: string): fhir4.BundleEntry => ({ request: { method: 'GET', url } });

/** The three digits of each entry's status. */
export const statusesOf = (bundle: TestBody): string[] =>
  entriesOf(bundle).map(({ response }) => String(response?.status).slice(0, 3));

/** `Type/id` of what each entry wrote; empty where it wrote nothing. */
export const writtenIn = (bundle: TestBody): string[] =>
  entriesOf(bundle).map(
    ({ response }) => /[A-Z][A-Za-z]+\/[^/]+(?=\/_history)/.exec(response?.location ?? '')?.[0] ?? '',
  );
