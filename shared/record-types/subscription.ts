import { subscriptionInvariants } from '../fhir/generated/invariants/Subscription.ts';
import { subscriptionSchema } from '../fhir/generated/schemas/Subscription.ts';
import { subscriptionElements, subscriptionSearchTable } from '../fhir/generated/search-parameters/Subscription.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who is told of which changes. https://hl7.org/fhir/R4/subscription.html */
export const subscription = defineRecordType({
  name: 'Subscription',
  schema: subscriptionSchema,
  invariants: subscriptionInvariants,
  searchTable: subscriptionSearchTable,
  elements: subscriptionElements,
});
