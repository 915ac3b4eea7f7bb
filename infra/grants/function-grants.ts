import { type ApiPlaces, apiGrants } from './api-grants.ts';
import { codeStatement } from './digest-access.ts';
import { type SharingPlaces, sharingGrants } from './sharing-grants.ts';
import { signInGrants } from './sign-in-grants.ts';
import type { Statement } from './statement.ts';

/** The resources of a deployment, by their ARNs. */
export interface Places extends ApiPlaces, SharingPlaces {
  readonly digestKeyArn: string;
}

/** Functions that the key of digests lets use it: infra/stacks/digest-key.ts. */
const codes: Readonly<Record<string, 'GenerateMac' | 'VerifyMac'>> = {
  'functions/write-digests.ts': 'GenerateMac',
  'functions/verify-digests.ts': 'VerifyMac',
};

/**
 * All that the code of a function may ask for, whichever stack it is in, and whoever says so: its role, or the key of digests. What is no function of a deployment may do nothing.
 */
export const grantsOf = (entry: string, places: Places): readonly Statement[] => {
  const code = codes[entry];
  return [
    ...(apiGrants(entry, places) ?? sharingGrants(entry, places) ?? signInGrants(entry, places) ?? []),
    ...(code === undefined ? [] : [codeStatement(places.digestKeyArn, code)]),
  ];
};
