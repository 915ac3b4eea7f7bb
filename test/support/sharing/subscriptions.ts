const extension = (name: string) => `http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/${name}`;

/** What a Subscription of the proof asks for. */
export interface Wish {
  readonly type: string;
  /** By the topic of the type, or by plain R4 criteria. */
  readonly by: 'topic' | 'criteria';
  readonly content: 'id-only' | 'full-resource';
  readonly endpoint: string;
  readonly secret?: string;
  /** Events a notification at most. */
  readonly maxCount: number;
}

/** A Subscription to all changes of a type. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html */
export const subscriptionTo = ({ type, by, content, endpoint, secret, maxCount }: Wish): fhir4.Subscription => ({
  resourceType: 'Subscription',
  status: 'requested',
  reason: 'Proof of sharing',
  criteria: by === 'topic' ? `https://concord.example/fhir/SubscriptionTopic/${type}` : type,
  channel: {
    type: 'rest-hook',
    endpoint,
    payload: 'application/fhir+json',
    _payload: { extension: [{ url: extension('backport-payload-content'), valueCode: content }] },
    extension: [
      { url: extension('backport-max-count'), valuePositiveInt: maxCount },
      ...(secret === undefined
        ? []
        : [
            {
              url: 'https://concord.example/fhir/StructureDefinition/webhook-signing-secret',
              valueString: secret,
            },
          ]),
    ],
  },
});
