// Who sees what, written from docs/access.md and not from the code.

import { definitionsOf, elementsOf, placeOf, type WorldRecord } from './evaluate.ts';
import type { Searcher } from './search-server.ts';
import type { StoredRecord } from './stored-world.ts';

const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Readable by everybody who is signed in. */
export const directoryTypes = names(
  'Endpoint HealthcareService Location Organization OrganizationAffiliation Practitioner PractitionerRole Schedule Slot',
);

/** What those who keep the front desk may read of their organisation: no clinical content. */
const frontdeskTypes = names(
  `Patient Person RelatedPerson Coverage CoverageEligibilityRequest CoverageEligibilityResponse EnrollmentRequest
   EnrollmentResponse Appointment AppointmentResponse Communication CommunicationRequest Task`,
);

/** The parameter that names whose record it is. */
const ownerOf = (type: string) =>
  definitionsOf(type).find(({ code }) => code === (type === 'AdverseEvent' ? 'subject' : 'patient'));

/** `Patient/id` of the first patient that a record names: its chart. */
const patientOf = (record: WorldRecord, baseUrl: string): string | undefined => {
  const { resourceType, id } = record.resource;
  if (resourceType === 'Patient') return `Patient/${id}`;
  const owner = ownerOf(resourceType);
  const places = owner ? elementsOf(record, owner).map((element) => placeOf(element, { baseUrl })) : [];
  return places.find((place) => place?.startsWith('Patient/'));
};

/** Whether a type concerns no patient. */
const isKnowledge = (type: string): boolean =>
  !directoryTypes.has(type) &&
  type !== 'Patient' &&
  type !== 'Group' &&
  type !== 'Binary' &&
  ownerOf(type) === undefined;

/** Whether the searcher may search a type at all. */
export const maySearch = ({ role }: Searcher, type: string): boolean => {
  if (type === 'AuditEvent') return false;
  if (role === 'frontdesk') return directoryTypes.has(type) || frontdeskTypes.has(type) || isKnowledge(type);
  return role !== 'physician' || type !== 'Subscription';
};

/** Whether the searcher sees a record. */
export const sees = (searcher: Searcher, record: StoredRecord, baseUrl: string): boolean => {
  const { resourceType } = record.resource;
  if (!maySearch(searcher, resourceType)) return false;
  if (directoryTypes.has(resourceType)) return true;
  if (searcher.role === 'patient') return patientOf(record, baseUrl) === `Patient/${searcher.patient}`;
  return record.organization === searcher.organization;
};

/** A record as the searcher is shown it: what the role may not see is masked where it is named, and what tells of it in words is left out. */
export const asShown = (searcher: Searcher, record: StoredRecord): StoredRecord => {
  let number = -1;
  let masks = 0;
  const copyOf = (element: unknown): unknown => {
    if (Array.isArray(element)) return element.map(copyOf);
    if (typeof element !== 'object' || element === null) return element;
    const { reference, url } = element as { reference?: unknown; url?: unknown };
    const address = typeof reference === 'string' ? reference : url;
    if (typeof address === 'string') {
      number++;
      const parts = address.split('/_history/')[0]?.split('/') ?? [];
      const type = parts.length < 2 ? undefined : parts.at(-2);
      const names = type !== undefined && /^[A-Z][A-Za-z]+$/.test(type) && (address === reference || type === 'Binary');
      if (names && !maySearch(searcher, type)) {
        masks++;
        const why = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
        return {
          id: `masked-${record.resource.meta?.versionId}-${number}`,
          extension: [{ url: why, valueCode: 'masked' }],
        };
      }
    }
    return Object.fromEntries(Object.entries(element).map(([name, member]) => [name, copyOf(member)]));
  };
  const copy = copyOf(record.resource) as fhir4.DomainResource;
  if (masks === 0) return record;
  delete copy.text;
  const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'MASKED' };
  copy.meta = { ...copy.meta, security: [...(copy.meta?.security ?? []), label] };
  return { ...record, resource: copy as StoredRecord['resource'] };
};
