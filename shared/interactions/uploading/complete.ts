import { randomBytes } from 'node:crypto';
import { type Uploaded, withUploaded } from '../../content/uploaded.ts';
import { RecordError } from '../../errors.ts';
import { toBase32 } from '../../store/base32.ts';
import { commit } from '../../store/commit.ts';
import { CommitRefused } from '../../store/commit-refusal.ts';
import { contentKey } from '../../store/content-objects.ts';
import type { RowKey } from '../../store/keys.ts';
import { beginUpload } from '../../store/uploads.ts';
import { answerTo, written } from '../answers.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { type PlannedWrite, planCreate } from '../plan-write.ts';
import { mayAccess, requireReadable, requireTypeAccess } from '../require-access.ts';
import { commitOf, referringAnew, refusalOf } from '../save.ts';
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
  const plan = await planCreate(
    context,
    { resource: binaryOf(context, ticket), warnings: [] },
    { address, id: ticket.chart },
  );
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
  const { resource } = plan.next;
  const whole = resource && { ...plan, next: { ...plan.next, resource: withUploaded(resource, uploaded) } };
  if (!whole) throw new Error('What is created says something');
  const refusal = await write(context, whole, upload);
  if (!refusal) return answerTo(context, whole);
  // Somebody who completes the same upload was quicker.
  if (await context.store.read(address)) return madeBefore(context, ticket);
  throw refusal;
};

/** As any create, and with it the object becomes part of the table. */
const write = async (context: RequestContext, plan: PlannedWrite, upload: RowKey): Promise<Error | undefined> => {
  let plans: readonly PlannedWrite[] | undefined = [plan];
  let refusal: Error | undefined;
  for (let again = false; plans; again = true) {
    try {
      await commit(context.store, { ...(await commitOf(context, plans)), upload });
      return undefined;
    } catch (error) {
      if (!(error instanceof CommitRefused)) throw error;
      refusal = refusalOf(error, false);
      plans = again ? undefined : await referringAnew(context, plans, error.refusals);
    }
  }
  return refusal;
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
