import { deviceInvariants } from '../fhir/generated/invariants/Device.ts';
import { deviceSchema } from '../fhir/generated/schemas/Device.ts';
import { deviceElements, deviceSearchTable } from '../fhir/generated/search-parameters/Device.ts';
import { defineRecordType } from './define-record-type.ts';

/** An instrument or implant; also the systems that write records. https://hl7.org/fhir/R4/device.html */
export const device = defineRecordType({
  name: 'Device',
  schema: deviceSchema,
  invariants: deviceInvariants,
  searchTable: deviceSearchTable,
  elements: deviceElements,
});
