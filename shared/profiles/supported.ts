import { usCoreProfiles, usCoreVersion } from '../fhir/generated/profiles/us-core-names.ts';
import { usCoreBase } from './us-core-base.ts';

/** The profiles that a resource type may claim and is then held to, each with its version. */
export const supportedProfiles = (type: string): string[] =>
  (usCoreProfiles[type] ?? []).map((name) => `${usCoreBase}${name}|${usCoreVersion}`);
