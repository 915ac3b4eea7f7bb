/** That a member of support may act for an organisation: who has said so, and for which time. */
export interface Delegation {
  /** `PractitionerRole/id` that grants it. */
  readonly role: string;
  /** Reference to the administrator who granted it. */
  readonly by: string;
  /** From when, and until before when, in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** Whether it opens a patient's records only while that patient calls and is verified. */
  readonly callsOnly?: true;
  /** Chart of the patient who calls, while that call lasts. */
  readonly calling?: string | undefined;
}

/** What a PractitionerRole is coded with that delegates. */
export const delegationCode = {
  system: 'https://concord.example/fhir/CodeSystem/delegation',
  code: 'support',
} as const;

/** What it is coded with besides, if it opens patients' records in verified calls alone. */
export const verifiedCallsCode = { system: delegationCode.system, code: 'verified-calls' } as const;

/** How long a call lasts that nobody ends, in milliseconds: half an hour. */
export const callMs = 30 * 60_000;

/** Longest time for which something is delegated at once, in milliseconds: a year. */
export const longestDelegationMs = 366 * 86_400_000;
