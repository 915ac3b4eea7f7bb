import { actCode } from '../access/labels.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

/**
 * What the records of a substance-use programme bear: the law that they are under, and that whoever is shown them may not pass them on, in the words of the
 * law. https://www.law.cornell.edu/cfr/text/42/2.32
 */
export const ofProgramme: readonly fhir4.Coding[] = [
  { system: actCode, code: '42CFRPart2', display: '42 CFR Part2' },
  {
    system: actCode,
    code: 'NORDSCLCD',
    display: '42 CFR part 2 prohibits unauthorized use or disclosure of these records.',
  },
];

/** The resource with the labels of a substance-use programme's records, once each and in our words. */
export const withNotice = (resource: Resource): Resource => {
  const others = (resource.meta?.security ?? []).filter(
    (label) => !ofProgramme.some(({ system, code }) => label.system === system && label.code === code),
  );
  return withSpellingOf({ ...resource, meta: { ...resource.meta, security: [...others, ...ofProgramme] } }, resource);
};
