/** Input of `Subscription/$status`. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html */
export const statusInput = { id: { type: 'id', many: true }, status: { type: 'code', many: true } } as const;

/** Input of `Subscription/{id}/$events`. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-events.html */
export const eventsInput = {
  eventsSinceNumber: { type: 'string' },
  eventsUntilNumber: { type: 'string' },
  content: { type: 'code' },
} as const;

/** Input of `Subscription/{id}/$redrive`: the first event that is to be sent again; all, if absent. */
export const redriveInput = { eventsSinceNumber: { type: 'string' } } as const;
