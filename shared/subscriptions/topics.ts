import { resourceTypes } from '../fhir/generated/resource-types.ts';

const base = 'https://concord.example/fhir/SubscriptionTopic/';

/** What changes of nobody tells: requests and answers, and the access log, which is no record. */
const untold: ReadonlySet<string> = new Set(['AuditEvent', 'Bundle', 'OperationOutcome', 'Parameters']);

/** Types of records whose changes there is a topic for, each. */
export const typesWithTopics: readonly string[] = resourceTypes.filter((type) => !untold.has(type));

/** Canonical address of the topic of all changes of records of a type: created, updated and deleted. */
export const topicOf = (type: string): string => `${base}${type}`;

/** The type of a topic of ours, with or without a version behind it; undefined for any other address. */
export const typeOfTopic = (canonical: string): string | undefined => {
  const [address = ''] = canonical.split('|');
  const type = address.startsWith(base) ? address.slice(base.length) : '';
  return typesWithTopics.includes(type) ? type : undefined;
};
