import { referralIn } from '../access/referral.ts';
import { serviceRequestInvariants } from '../fhir/generated/invariants/ServiceRequest.ts';
import { serviceRequestSchema } from '../fhir/generated/schemas/ServiceRequest.ts';
import {
  serviceRequestElements,
  serviceRequestSearchTable,
} from '../fhir/generated/search-parameters/ServiceRequest.ts';
import { defineRecordType } from './define-record-type.ts';
import { referralRows } from './referral-rows.ts';

/** An order for an examination, a treatment or a referral. https://hl7.org/fhir/R4/servicerequest.html */
export const serviceRequest = defineRecordType({
  name: 'ServiceRequest',
  schema: serviceRequestSchema,
  invariants: serviceRequestInvariants,
  searchTable: serviceRequestSearchTable,
  elements: serviceRequestElements,
  date: 'authored',
  accessRows: referralRows(referralIn),
});
