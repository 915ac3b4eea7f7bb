import { isDeepStrictEqual } from 'node:util';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { goesAnotherWay } from '../people/contact.ts';
import { factsOfType } from '../record-types/subjects.ts';
import { linkedWith } from '../store/chart-links.ts';
import type { StoredRecord } from '../store/rows.ts';
import { otherChannel, stageOf } from '../work/by-channel.ts';
import { withFlag } from '../work/flags.ts';
import { recipientsOf } from '../work/message-lists.ts';
import { isFromElsewhere, isOfPatient } from '../work/message-tasks.ts';
import type { RequestContext } from './context.ts';
import { mayAccess } from './require-access.ts';

type Message = fhir4.Communication;

/**
 * A message of staff to a patient that goes by some medium, held to the way that the patient has asked for. What is still to be sent is an intention, and refused; what was sent is a fact, and flagged. One read of the patient, and one call for linked
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
  const asking = (await patientsIn(context, chart)).filter(
    ({ custodian, resource: patient }) =>
      custodian === organization && goesAnotherWay(message, patient as unknown as fhir4.Patient, context.now),
  );
  if (asking.length === 0) return resource;
  // Who may not see the patient is not told what the patient has asked for.
  const mayKnow = asking.some((each) => mayAccess({ ...context, recordType: factsOfType('Patient') }, 'r', each));
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
    : !isOfPatient(message) && recipients.some((name) => name.startsWith('Patient/'));
};

/** Whether a change says nothing new of how a message goes. What the server itself holds back or takes up again goes as it did. */
const isSaidBefore = (before: Resource, next: Resource, isSystem: boolean): boolean =>
  ['medium', 'recipient', 'extension'].every((element) => isDeepStrictEqual(before[element], next[element])) &&
  (isSystem ? stageOf(before) === stageOf(next) : before['status'] === next['status']);

/** The patient who heads a chart, and the other records of the person. */
const patientsIn = async ({ store }: RequestContext, chart: string): Promise<readonly StoredRecord[]> => {
  const address = (of: string) => ({ type: 'Patient', chart: of, place: '' });
  const [own, linked] = await Promise.all([store.whole.read(address(chart)), linkedWith(store, chart)]);
  const others = linked.filter((each) => each.chart !== chart).map((each) => address(each.chart));
  const all = [...(own ? [own] : []), ...(others.length === 0 ? [] : await store.whole.readMany(others))];
  return all.filter(({ resource }) => resource !== undefined);
};
