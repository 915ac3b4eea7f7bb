import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { task } from '../../record-types/task.ts';
import type { Arrived } from '../../store/content-objects.ts';
import { privacyOfficers } from '../../work/pools.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, planCreate } from '../plan-write.ts';
import { save } from '../save.ts';
import type { Ticket } from './ticket.ts';

/** Seconds after which it is worth asking again. */
const askAgainAfter = '5';

/**
 * Requires that a scanner has found nothing. What was not understood is not clean.
 *
 * @throws RecordError `conflict` before it has told; `business-rule` for what is infected, or could not be scanned: privacy officers have a Task then.
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/monitoring-malware-protection-s3-scans-gdu.html
 */
export const requireClean = async (context: RequestContext, ticket: Ticket, { verdict }: Arrived): Promise<void> => {
  if (verdict === 'NO_THREATS_FOUND') return;
  if (verdict === undefined) {
    throw new RecordError('conflict', 'The content has not been scanned yet; try again', {
      reason: 'not-scanned-yet',
      headers: { 'Retry-After': askAgainAfter },
    });
  }
  const infected = verdict === 'THREATS_FOUND';
  await tellPrivacyOfficers(context, ticket, infected);
  throw infected
    ? new RecordError('business-rule', 'A scanner has found malware in the content', { reason: 'content-infected' })
    : new RecordError('business-rule', 'The content could not be scanned', { reason: 'content-not-scannable' });
};

/** A Task of the organisation, once for an upload however often it is asked for. */
const tellPrivacyOfficers = async (context: RequestContext, { name }: Ticket, infected: boolean): Promise<void> => {
  const { asking, now } = context;
  const { organization, fhirUser } = asking.caller;
  if (organization === undefined) return; // a patient's own: the alarm tells of it
  const asked: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    description: infected
      ? 'Malware was found in a file that somebody tried to attach. It was not stored. Ask its sender where it came from'
      : 'A file that somebody tried to attach could not be scanned for malware, such as one under a password. It was not stored',
    authoredOn: new Date(now).toISOString(),
    requester: { reference: fhirUser },
    performerType: [privacyOfficers],
  };
  const own = { ...context, recordType: task, asking: systemOf(context, organization), once: undefined };
  const id = `upload-${name}`;
  if (await locate(own, 'Task', id)) return;
  const resource = { ...asked, id } as unknown as Resource;
  const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource, id));
  try {
    await save(own, [{ ...plan, checks: [] }]);
  } catch (error) {
    if (!(error instanceof RecordError) || error.reason !== 'id-taken') throw error; // told by another at the same time
  }
};
