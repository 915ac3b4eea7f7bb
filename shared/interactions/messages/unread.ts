import { RecordError } from '../../errors.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { unreadOf } from '../../work/message-lists.ts';
import type { Answer, Interaction } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import { messagesIn, pageOf, requireInput } from './message-page.ts';

/**
 * `GET Communication/$unread`: the messages to a patient, and to who acts for one, that the caller has not read, the oldest first. What staff have not read is in their inbox. One Query for each megabyte of the
 * chart's messages, and a row of the log.
 *
 * @throws RecordError `forbidden` to staff.
 */
export const unread: Interaction = async (context): Promise<Answer> => {
  requireTypeAccess(context, 's');
  requireInput(context);
  const { caller, chart } = context.asking;
  const { patient, fhirUser } = caller;
  if (patient === undefined)
    throw new RecordError('forbidden', 'Patients ask for this; staff have an inbox, Task/$inbox', {
      reason: 'forbidden-role',
    });
  const isPart = ({ resource }: StoredRecord): boolean =>
    resource !== undefined && unreadOf(resource, fhirUser, [fhirUser, `Patient/${patient}`]).length > 0;
  return chart === undefined
    ? pageOf(context, [], { query })
    : pageOf(context, await messagesIn(context, chart, { isPart }), { query, chart });
};

const query = 'Communication/$unread';
