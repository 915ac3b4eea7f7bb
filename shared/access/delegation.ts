/** That a member of support may act for an organisation: who has said so, and for which time. */
export interface Delegation {
  /** `PractitionerRole/id` that grants it. */
  readonly role: string;
  /** Reference to the administrator who granted it. */
  readonly by: string;
  /** From when, and until before when, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
}

/** What a PractitionerRole is coded with that delegates. */
export const delegationCode = {
  system: 'https://concord.example/fhir/CodeSystem/delegation',
  code: 'support',
} as const;

/** Longest time for which something is delegated at once, in milliseconds: a year. */
export const longestDelegationMs = 366 * 86_400_000;
