import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';

/** All security labels of these, each once. */
export const labelsIn = (resources: readonly { readonly meta?: fhir4.Meta | undefined }[]): fhir4.Coding[] => {
  const all = resources.flatMap(({ meta }) => meta?.security ?? []);
  return all.filter(
    ({ system, code }, index) => all.findIndex((each) => each.system === system && each.code === code) === index,
  );
};

/**
 * What a laboratory tells, with the labels that its record bears: a message knows nothing of them, and takes none off. Whoever may take one off does so by hand.
 *
 * @param before - what the record says; of a new part, what its report does.
 */
export const bearingLabels = (sent: Resource, before: Resource | undefined): Resource => {
  const security = labelsIn([...(before ? [before] : []), sent]);
  return security.length === labelsIn([sent]).length
    ? sent
    : withSpellingOf({ ...sent, meta: { ...sent.meta, security } }, sent);
};
