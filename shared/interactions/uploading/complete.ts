import { randomBytes } from 'node:crypto';
import { type Uploaded, withUploaded } from '../../content/uploaded.ts';
import { RecordError } from '../../errors.ts';
import { toBase32 } from '../../store/base32.ts';
import { contentKey } from '../../store/content-objects.ts';
import { beginUpload } from '../../store/uploads.ts';
import { answerTo, written } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planCreate } from '../plan-write.ts';
import { mayAccess, requireReadable, requireTypeAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { requireAlone } from './alone.ts';
import { contentObjects, uploadsOf } from './bucket.ts';
import { completeInput } from './input.ts';
import { openTicket, type Ticket } from './ticket.ts';
import { binaryOf } from './upload.ts';
import { requireClean } from './verdict.ts';

/**
 * `Binary/$complete`: makes the Binary of content that was uploaded, once it is there, is what was announced, and a scanner has found nothing. Sent again, it answers with the Binary that it has made.
 *
 * @throws RecordError as a create does; `conflict` before the content has come, or was scanned; `business-rule` for what is infected, or could not be scanned.
 */
export const complete: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  requireAlone(context);
  const ticket = openTicket(context, readInput(context, completeInput).upload);
  const address = { type: 'Binary', chart: ticket.chart, place: '' };
  if (await context.store.read(address)) return madeBefore(context, ticket);
  const created = (): Promise<PlannedWrite> =>
    planCreate(context, { resource: binaryOf(context, ticket), warnings: [] }, { address, id: ticket.chart });
  await created(); // whatever stands against it is told before content is looked at
  const objects = contentObjects(context);
  const arrived = await objects.arrived(ticket.name);
  if (!arrived) {
    throw new RecordError('conflict', 'The content has not come, or its time is over', { reason: 'upload-missing' });
  }
  if (uploadsOf(context).scanner !== 'none') await requireClean(context, ticket, arrived);
  // The store has taken nothing else under this address; it is asked all the same.
  const { size, sha256 } = await objects.measured(ticket.name);
  if (size !== ticket.size || sha256 !== ticket.sha256) throw new Error('Other content has come');
  const uploaded: Uploaded = { name: toBase32(randomBytes(16)), size, sha256 };
  const key = contentKey(context.store.ids, address, uploaded);
  const upload = await beginUpload(context.store, [key], Date.now());
  await objects.keep(ticket.name, key, sha256);
  try {
    return await lookAgain(async () => {
      const plan = await created();
      const { resource } = plan.next;
      if (!resource) throw new Error('What is created says something');
      const whole = { ...plan, upload, next: { ...plan.next, resource: withUploaded(resource, uploaded) } };
      await save(context, [whole]);
      return answerTo(context, whole);
    });
  } catch (error) {
    // Somebody who completes the same upload was quicker.
    if (error instanceof RecordError && (await context.store.read(address))) return madeBefore(context, ticket);
    throw error;
  }
};

const madeBefore = async (context: RequestContext, { chart }: Ticket): Promise<Answer> => {
  const look = {
    interaction: 'operation',
    what: [`Binary/${chart}`],
    query: 'Binary/$complete',
    may: (last) => mayAccess(context, 'r', last),
  } as const satisfies Parameters<typeof lookAt>[2];
  const found = await lookAt(context, { type: 'Binary', chart, place: '' }, look, (record) =>
    requireReadable(context, record),
  );
  return written(context, requireReadable(context, found), 200);
};
