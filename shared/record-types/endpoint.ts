import { endpointInvariants } from '../fhir/generated/invariants/Endpoint.ts';
import { endpointSchema } from '../fhir/generated/schemas/Endpoint.ts';
import { endpointElements, endpointSearchTable } from '../fhir/generated/search-parameters/Endpoint.ts';
import { defineRecordType } from './define-record-type.ts';

/** A technical address of an organisation. https://hl7.org/fhir/R4/endpoint.html */
export const endpoint = defineRecordType({
  name: 'Endpoint',
  schema: endpointSchema,
  invariants: endpointInvariants,
  searchTable: endpointSearchTable,
  elements: endpointElements,
});
