import { maxIssues } from '../fhir/complex-type.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { checkProfile } from './check-profile.ts';
import { usCore } from './us-core.ts';
import { usCoreBase } from './us-core-base.ts';

/** What R4's own types are claimed by, silently met by all that R4's schemas accept. */
const ofR4 = (type: string): RegExp =>
  new RegExp(`^http://hl7\\.org/fhir/StructureDefinition/${type}(?:\\|4\\.0(?:\\.1)?)?$`);

/** Each takes microseconds for each element, and a record may have a hundred thousand. A real one claims one or two. */
const mostProfiles = 10;

/** The first fifty of each severity. */
const bounded = (issues: readonly ValidationIssue[]): ValidationIssue[] => {
  const left = { error: maxIssues, warning: maxIssues, information: maxIssues };
  return issues.filter(({ severity }) => left[severity]-- > 0);
};

/**
 * Checks a resource against the profiles that it claims to meet. A claim of a profile and its version is a promise that has to be kept:
 * errors. A claim without a version says less, and old data is full of them: what stands against it is a warning.
 *
 * @param resource - one that has the structure that R4 gives its type.
 * @param strict - treats claims without a version like those with one.
 * @returns errors; warnings, also for profiles and versions that are not known; information where a check could not be made: at most 50
 *   of each.
 * @see https://hl7.org/fhir/R4/resource.html#Meta
 */
export const checkClaims = async (
  resource: fhir4.Resource,
  { strict }: { readonly strict: boolean },
): Promise<ValidationIssue[]> => {
  const type = resource.resourceType;
  const issues: ValidationIssue[] = [];
  const report = (
    severity: ValidationIssue['severity'],
    code: ValidationIssue['code'],
    index: number,
    message: string,
  ) => issues.push({ severity, code, expression: `${type}.meta.profile[${index}]`, message });
  /** Whether the claim binds, by the name of the profile: each is checked once, however often it is claimed. */
  const claimed = new Map<string, boolean>();
  for (const [index, claim] of (resource.meta?.profile ?? []).entries()) {
    if (typeof claim !== 'string' || ofR4(type).test(claim)) continue;
    const [url = '', version] = claim.split('|');
    const guide = url.startsWith(usCoreBase) ? await usCore() : undefined;
    const profile = guide?.profiles.get(url.slice(usCoreBase.length));
    if (!guide || !profile) report('warning', 'not-supported', index, 'this profile is not known: nothing was checked');
    else if (version !== undefined && version !== guide.version) {
      report('warning', 'not-supported', index, `only version ${guide.version} is known: nothing was checked`);
    } else if (profile.type !== type) {
      report(strict || version !== undefined ? 'error' : 'warning', 'value', index, `is a profile of ${profile.type}`);
    } else if (claimed.size === mostProfiles && !claimed.has(profile.name)) {
      report('error', 'too-long', index, `only ${mostProfiles} profiles may be claimed`);
    } else claimed.set(profile.name, strict || version !== undefined || claimed.get(profile.name) === true);
  }
  for (const [name, isBound] of claimed) {
    const guide = await usCore();
    const profile = guide.profiles.get(name);
    for (const issue of profile ? checkProfile(guide, profile, resource) : []) {
      issues.push(isBound || issue.severity !== 'error' ? issue : { ...issue, severity: 'warning' });
    }
  }
  return bounded(issues);
};
