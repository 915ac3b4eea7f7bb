import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';
import type { StoredRecord } from '../store/rows.ts';
import { receiptsOf } from './receipts.ts';
import { type Listed, nameIn, rankAt } from './worklists.ts';

/** https://hl7.org/fhir/R4/valueset-event-status.html */
const told: ReadonlySet<string> = new Set(['in-progress', 'completed', 'unknown']);

/** Whether a message is there to be read. */
export const isTold = ({ status }: Pick<fhir4.Communication, 'status'>): boolean => told.has(status);

/** Whether others say that a message was received, and the server knows of no reader: so it was read by all, where it comes from. */
export const wasReadElsewhere = (message: fhir4.Communication): boolean =>
  message.received !== undefined && receiptsOf(message as unknown as Resource).length === 0;

/** `Type/id` of those to whom a message is, each once. */
export const recipientsOf = ({ recipient = [] }: Pick<fhir4.Communication, 'recipient'>): readonly string[] => [
  ...new Set(recipient.flatMap((each) => nameIn(each) ?? [])),
];

/**
 * Those of some recipients for whom nobody has read a message, or one reader has not. One that others say was received, and of which the server knows no reader, was read by all.
 *
 * @param among - `Type/id` of the recipients that are asked about; all of them, if absent.
 */
export const unreadOf = (message: Resource, reader?: string, among?: readonly string[]): readonly string[] => {
  const sent = message as unknown as fhir4.Communication;
  if (!isTold(sent) || wasReadElsewhere(sent)) return [];
  const receipts = receiptsOf(message);
  const isRead = (name: string): boolean =>
    receipts.some((receipt) => receipt.recipient === name && (reader === undefined || receipt.reader === reader));
  return recipientsOf(sent).filter((name) => (among === undefined || among.includes(name)) && !isRead(name));
};

const staff = /^(?:Practitioner|PractitionerRole|CareTeam|Organization|HealthcareService)\//;

/** The lists in which a message stands: of each recipient among the staff, until that one has read it. */
export const messageListsOf = ({ resource }: Pick<StoredRecord, 'resource'>): readonly Listed[] => {
  if (!resource) return [];
  const { sent = '' } = resource as unknown as fhir4.Communication;
  return unreadOf(resource)
    .filter((name) => staff.test(name))
    .map((list) => ({ list, as: 'message', rank: rankAt(dateInterval(sent)?.start ?? 0) }));
};
