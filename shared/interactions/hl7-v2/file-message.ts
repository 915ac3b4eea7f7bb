import { RecordError } from '../../errors.ts';
import { acknowledgement, type Header, type Remark } from '../../hl7-v2/acknowledgement.ts';
import { requireMaySend } from '../../hl7-v2/header.ts';
import { type Content, contentOf } from '../../hl7-v2/mapping/messages.ts';
import type { Message } from '../../hl7-v2/message.ts';
import { type Reading, saidAt } from '../../hl7-v2/reading.ts';
import { dateTimeOf } from '../../hl7-v2/times.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import type { Once } from '../context.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { GuardFailed, save } from '../save.ts';
import { fileReports } from './file-reports.ts';
import { mergePatients } from './merge-patients.ts';
import { planFiling } from './plan-filing.ts';
import { senderOf } from './senders.ts';
import type { FilingContext } from './typed.ts';

/** What a message says, as far as it can be read. */
interface Read {
  readonly reading: Reading;
  readonly content: Content;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const read = async (context: FilingContext, message: Message): Promise<Read> => {
  const sender = await senderOf(context, message);
  requireMaySend(sender, message);
  const at = saidAt(message, sender);
  requireSaidByNow(context, at, recordedIn(message));
  const [occurred, recorded] = [message.part('EVN', 6), message.part('EVN', 2)];
  const happened =
    occurred !== ''
      ? dateTimeOf(occurred, 'EVN-6', sender.zone)
      : recorded !== ''
        ? dateTimeOf(recorded, 'EVN-2', sender.zone)
        : dateTimeOf(message.part('MSH', 7), 'MSH-7', sender.zone);
  const reading = { message, sender, event: message.part('MSH', 9, 2), happened };
  const content = contentOf(reading);
  for (const { report } of content.reports ?? []) requireSaidByNow(context, Date.parse(report.issued ?? ''), 'OBR-22');
  return { reading, content, at };
};

const recordedIn = (message: Message): string => (message.part('EVN', 2) === '' ? 'MSH-7' : 'EVN-2');

/** By how much the clock of a sender may be ahead, its zone included. Milliseconds. */
const mostAhead = 86_400_000;

/** What were said in years to come would be the latest word until then, and hide all that is said in between. */
const requireSaidByNow = ({ now }: FilingContext, at: number, field: string): void => {
  if (at > now + mostAhead) throw new Unfit('field-form', 'This time has not come yet', field);
};

/**
 * Files a message: all that it says in one transaction, with what else is to be written with it. Looked at anew where others write the same meanwhile.
 *
 * @param besides - is told what has come of it, and plans what goes with it.
 * @throws Unfit; RecordError whatever stands against it; GuardFailed where others have written meanwhile.
 */
export const fileMessage = async (
  context: FilingContext,
  message: Message,
  besides: (
    remarks: readonly Remark[],
  ) => Promise<{ readonly plans: readonly PlannedWrite[]; readonly once?: Once | undefined }>,
): Promise<void> => {
  const { content, at } = await read(context, message);
  const stamp = { at, controlId: message.part('MSH', 10) };
  try {
    if (content.reports) return await fileReports(context, content.patient, content.reports, besides);
    if (content.replaces) return await mergePatients(context, content.patient.key, content.replaces, besides);
    const { plans, remarks } = await planFiling(context, content, stamp);
    const more = await besides(remarks);
    const all = [...plans, ...more.plans];
    if (all.length > 0) await save({ ...context, once: more.once }, all);
  } catch (error) {
    // Which of two messages of one patient was first makes no difference to what they come to.
    throw error instanceof RecordError && error.reason === 'concurrent-change' ? new GuardFailed() : error;
  }
};

/** Kinds of refusals that may be mended, so that the message waits; what else is thrown is for whoever sends it, or a fault of ours. */
const mended: ReadonlySet<RecordError['kind']> = new Set([
  'invalid',
  'conflict',
  'not-found',
  'deleted',
  'multiple-matches',
  'no-match',
  'business-rule',
  'too-large',
  'too-costly',
]);
const passing: ReadonlySet<string> = new Set(['request-under-way', 'concurrent-change', 'idempotency-key-reused']);

/** Why a message cannot be filed as it is; undefined for what is no reason to keep it. What a refusal says of values is left out. */
export const whyNot = (error: unknown): Unfit | undefined => {
  if (error instanceof Unfit) return error;
  if (!(error instanceof RecordError) || !mended.has(error.kind) || passing.has(error.reason)) return undefined;
  const [detail] = error.details;
  const where = detail?.expression === undefined ? '' : ` (${detail.expression.slice(0, 100)})`;
  return new Unfit('not-filed', `${error.message}${where}`, 'MSH-9', error.reason);
};

/** Tells that a message is filed. */
export const accepted = (header: Header, remarks: readonly Remark[], now: number): string =>
  acknowledgement(header, 'AA', remarks, now);
