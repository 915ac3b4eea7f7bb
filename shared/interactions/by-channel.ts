import { isDeepStrictEqual } from 'node:util';
import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { goesAnotherWay } from '../people/contact.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { StoredRecord } from '../store/rows.ts';
import { otherChannel, stageOf } from '../work/by-channel.ts';
import { withFlag } from '../work/flags.ts';
import { recipientsOf } from '../work/message-lists.ts';
import { isFromElsewhere, isOfPatient } from '../work/message-tasks.ts';
import { nameIn } from '../work/worklists.ts';
import type { RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { patientsOfPerson } from './patients-of-person.ts';
import { mayAccess } from './require-access.ts';

type Message = fhir4.Communication;

/**
 * A message of staff to a patient that goes by some medium, held to the way that the patient has asked for. What is still to be sent is an intention, and refused; what was sent is a fact, and flagged. One read of each patient, and one call for linked
 * records, where the message or its state is new.
 *
 * @param chart - in which it is.
 * @param before - its version so far.
 * @throws RecordError `business-rule` (`confidential-channel`).
 */
export const byChannel = async (
  context: RequestContext,
  chart: string,
  resource: Resource,
  before: Resource | undefined,
): Promise<Resource> => {
  const message = resource as unknown as Message;
  const { organization, roles } = context.asking.caller;
  const stage = stageOf(resource);
  if (!message.medium || !stage || organization === undefined || !isToPatient(message)) return resource;
  const isSystem = roles.includes('system');
  if (before && isSaidBefore(before, resource, isSystem)) return resource;
  if (stage === 'sent' && isFromElsewhere(message, context.now)) return resource;
  const asking = (await patientsIn(context, chart, resource)).filter(({ patient }) =>
    goesAnotherWay(message, patient as unknown as fhir4.Patient, context.now),
  );
  if (asking.length === 0) return resource;
  // Who may not see the patient is not told what the patient has asked for.
  const ofPatients = { ...context, recordType: factsOfType('Patient') };
  const mayKnow = asking.some(({ record }) => !record || mayAccess(ofPatients, 'r', record));
  if (stage === 'ahead' && !isSystem && mayKnow)
    throw new RecordError(
      'business-rule',
      'The patient has asked to be reached in another way; Patient/{id}/$contact tells in which',
      { reason: 'confidential-channel', expression: `${resource.resourceType}.medium` },
    );
  return withFlag(otherChannel, { before, next: resource, earned: true });
};

/** What names nobody is to the patient whom it is about, unless it is the patient's. */
const isToPatient = (message: Message): boolean => {
  const recipients = recipientsOf(message);
  return recipients.length === 0
    ? !isOfPatient(message)
    : !isOfPatient(message) && (recipients.some((name) => name.startsWith('Patient/')) || namesSomePatient(message));
};

/** Whether a patient among others is told of by an identifier alone: it may be this one. */
const namesSomePatient = ({ recipient = [] }: Message): boolean =>
  recipient.some((each) => each.type === 'Patient' && nameIn(each) === undefined);

/** Whether a change says nothing new of how a message goes. What the server itself holds back or takes up again goes as it did. */
const isSaidBefore = (before: Resource, next: Resource, isSystem: boolean): boolean =>
  ['medium', 'recipient', 'sender', 'extension'].every((element) =>
    isDeepStrictEqual(before[element], next[element]),
  ) && (isSystem ? stageOf(before) === stageOf(next) : before['status'] === next['status']);

/** The records of the person in whose chart a message is, and of each patient to whom it is, as they are, or as the same transaction is to say that they are. */
const patientsIn = async (context: RequestContext, chart: string, message: Resource): Promise<readonly Asking[]> => {
  const { asking, recordType, request, saying, store } = context;
  const about = recordType.patientsOf(message).flatMap((reference) => {
    const parsed = parseReference(reference, request.baseUrl);
    return parsed.kind === 'record' ? [`${parsed.type}/${parsed.id}`] : [];
  });
  const to = recipientsOf(message as unknown as Message).filter((name) => name.startsWith('Patient/'));
  const names = [...new Set([...about, ...to])];
  const nameOf = ({ id }: StoredRecord): string => `Patient/${id}`;
  const own = await patientsOfPerson({ store: store.whole }, chart);
  const elsewhere = names.filter((name) => !own.some((record) => nameOf(record) === name));
  const stored = [...own, ...(await patientsElsewhere(context, chart, elsewhere))];
  const known = stored.map(nameOf);
  const begun = elsewhere.filter((name) => !known.includes(name)).flatMap((name) => saying?.(name) ?? []);
  return [
    ...stored
      .filter(({ custodian }) => custodian === asking.caller.organization)
      .map((record) => ({ record, patient: saying?.(`Patient/${record.id}`) ?? record.resource })),
    ...begun.map((patient) => ({ patient })),
  ];
};

/** The records of patients who are not the one in whose chart a message is: a mother who is told of her child, or anybody to whom what is about nobody is. One call for 100 of them, and two for each who was merged. */
const patientsElsewhere = async (
  context: RequestContext,
  chart: string,
  names: readonly string[],
): Promise<readonly StoredRecord[]> => {
  const addresses = await Promise.all(names.map((name) => locate(context, 'Patient', name.slice('Patient/'.length))));
  const charts = new Set(addresses.flatMap((address) => (address && address.chart !== chart ? [address.chart] : [])));
  if (charts.size === 0) return [];
  const whole = { store: context.store.whole };
  const records = await whole.store.readMany([...charts].map((each) => ({ type: 'Patient', chart: each, place: '' })));
  // Whoever was merged with another says so by a link.
  const persons = records.map(async (record) =>
    record.resource?.['link'] === undefined ? [record] : patientsOfPerson(whole, record.chart, record),
  );
  return (await Promise.all(persons)).flat();
};

/** Who may have asked for something: a record, and what it says; that alone of one that begins with the message. */
interface Asking {
  readonly record?: StoredRecord;
  readonly patient: Resource | undefined;
}
