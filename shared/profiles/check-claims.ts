import { maxIssues } from '../fhir/complex-type.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { checkProfile } from './check-profile.ts';
import { usCore } from './us-core.ts';
import { usCoreBase } from './us-core-base.ts';

/** What R4's own types are claimed by, silently met by all that R4's schemas accept. */
const ofR4 = (type: string): RegExp =>
  new RegExp(`^http://hl7\\.org/fhir/StructureDefinition/${type}(?:\\|4\\.0(?:\\.1)?)?$`);

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
  const claims = resource.meta?.profile ?? [];
  const issues: ValidationIssue[] = [];
  const seen = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    // There may be thousands; each is checked once.
    if (typeof claim !== 'string' || seen.has(claim) || ofR4(type).test(claim)) continue;
    seen.add(claim);
    const expression = `${type}.meta.profile[${index}]`;
    const [url = '', version] = claim.split('|');
    const guide = url.startsWith(usCoreBase) ? await usCore() : undefined;
    const profile = guide?.profiles.get(url.slice(usCoreBase.length));
    if (!guide || !profile || (version !== undefined && version !== guide.version)) {
      const message = profile ? `of this profile only version ${guide?.version} is known` : 'this profile is not known';
      issues.push({
        severity: 'warning',
        code: 'not-supported',
        expression,
        message: `${message}: nothing was checked`,
      });
      continue;
    }
    const found =
      profile.type === type
        ? checkProfile(guide, profile, resource)
        : [{ severity: 'error', code: 'value', expression, message: `this is a profile of ${profile.type}` } as const];
    const isBound = strict || version !== undefined;
    for (const issue of found) {
      issues.push(isBound || issue.severity !== 'error' ? issue : { ...issue, severity: 'warning' });
    }
  }
  return bounded(issues);
};
