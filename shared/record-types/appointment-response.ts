import { appointmentResponseInvariants } from '../fhir/generated/invariants/AppointmentResponse.ts';
import { appointmentResponseSchema } from '../fhir/generated/schemas/AppointmentResponse.ts';
import {
  appointmentResponseElements,
  appointmentResponseSearchTable,
} from '../fhir/generated/search-parameters/AppointmentResponse.ts';
import { defineRecordType } from './define-record-type.ts';

/** A participant's answer to an appointment. https://hl7.org/fhir/R4/appointmentresponse.html */
export const appointmentResponse = defineRecordType({
  name: 'AppointmentResponse',
  schema: appointmentResponseSchema,
  invariants: appointmentResponseInvariants,
  searchTable: appointmentResponseSearchTable,
  elements: appointmentResponseElements,
});
