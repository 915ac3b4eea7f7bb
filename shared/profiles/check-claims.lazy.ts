import { maxIssues } from '../fhir/complex-type.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { checkProfile } from './check-profile.ts';
import type { Profile } from './profile.ts';
import { usCore } from './us-core.ts';
import { usCoreBase } from './us-core-base.ts';

/** What R4's own types are claimed by, silently met by all that R4's schemas accept. */
const ofR4 = (type: string): RegExp =>
  new RegExp(`^http://hl7\\.org/fhir/StructureDefinition/${type}(?:\\|4\\.0(?:\\.1)?)?$`);

/** Each takes microseconds for each element, and a record may have a hundred thousand. A real one claims one or two. */
const mostProfiles = 10;

/** A profile that is asked about: where, and whether what stands against it refuses. */
interface Claim {
  readonly address: string;
  readonly expression: string;
  readonly isBound: boolean;
  /** Of a profile that is not known. */
  readonly ifUnknown: 'error' | 'warning';
}

/**
 * Checks a resource against the profiles that it claims to meet. A claim of a profile and its version is a promise that has to be kept:
 * errors. A claim without a version says less, and old data is full of them: what stands against it is a warning.
 *
 * @param resource - one that has the structure that R4 gives its type.
 * @param strict - treats claims without a version like those with one.
 * @param asked - a profile that it is to be checked against, whatever it claims: it binds, and has to be known.
 * @returns errors; warnings, also for profiles and versions that are not known, of which at most 50 are told; information where a check
 *   could not be made.
 * @see https://hl7.org/fhir/R4/resource.html#Meta
 */
export const checkClaims = async (
  resource: fhir4.Resource,
  { strict }: { readonly strict: boolean },
  asked?: string,
): Promise<ValidationIssue[]> => {
  const type = resource.resourceType;
  const claims = (resource.meta?.profile ?? []).map(
    (address, index): Claim => ({
      address,
      expression: `${type}.meta.profile[${index}]`,
      isBound: strict || String(address).includes('|'),
      ifUnknown: 'warning',
    }),
  );
  if (asked !== undefined) claims.unshift({ address: asked, expression: 'profile', isBound: true, ifUnknown: 'error' });
  const issues: ValidationIssue[] = [];
  /** Whether the claim binds. Each profile is checked once, however often it is claimed. */
  const claimed = new Map<Profile, boolean>();
  const seen = new Set<string>();
  for (const { address, expression, isBound, ifUnknown } of claims) {
    if (seen.has(address)) continue;
    seen.add(address);
    const [url = '', version] = String(address).split('|');
    if (ofR4(type).test(address)) continue;
    const guide = url.startsWith(usCoreBase) ? await usCore() : undefined;
    const profile = guide?.profiles.get(url.slice(usCoreBase.length));
    const isKnown = profile !== undefined && (version === undefined || version === guide?.version);
    const message = !isKnown
      ? 'this profile or version is not known: nothing was checked'
      : profile.type !== type
        ? `this is a profile of ${profile.type}`
        : claimed.size === mostProfiles && !claimed.has(profile)
          ? `only ${mostProfiles} profiles may be claimed`
          : undefined;
    if (message === undefined && profile) claimed.set(profile, isBound || claimed.get(profile) === true);
    else if (message !== undefined && (isKnown || issues.length < maxIssues)) {
      issues.push({
        severity: isKnown ? (isBound ? 'error' : 'warning') : ifUnknown,
        code: isKnown ? 'value' : 'not-supported',
        expression,
        message,
      });
    }
  }
  for (const [profile, isBound] of claimed) {
    for (const issue of checkProfile(await usCore(), profile, resource)) {
      issues.push(isBound || issue.severity !== 'error' ? issue : { ...issue, severity: 'warning' });
    }
  }
  return issues;
};
