import { supplyDeliveryInvariants } from '../fhir/generated/invariants/SupplyDelivery.ts';
import { supplyDeliverySchema } from '../fhir/generated/schemas/SupplyDelivery.ts';
import {
  supplyDeliveryElements,
  supplyDeliverySearchTable,
} from '../fhir/generated/search-parameters/SupplyDelivery.ts';
import { defineRecordType } from './define-record-type.ts';

/** Supplies handed over. https://hl7.org/fhir/R4/supplydelivery.html */
export const supplyDelivery = defineRecordType({
  name: 'SupplyDelivery',
  schema: supplyDeliverySchema,
  invariants: supplyDeliveryInvariants,
  searchTable: supplyDeliverySearchTable,
  elements: supplyDeliveryElements,
});
