import { RecordError } from '../../errors.ts';
import { acknowledgement, type Header, rejecting, remarkOf, type Verdict } from '../../hl7-v2/acknowledgement.ts';
import { textOfBytes } from '../../hl7-v2/bytes.ts';
import { headerOf, requireServed } from '../../hl7-v2/header.ts';
import { Message } from '../../hl7-v2/message.ts';
import { senderName } from '../../hl7-v2/sender.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import type { KeptAnswer } from '../../store/request-keys.ts';
import type { Answer, Once } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { carriedOutOnce } from '../once.ts';
import { save } from '../save.ts';
import { accepted, fileMessage, whyNot } from './file-message.ts';
import type { FilingContext } from './typed.ts';
import { planWaiting } from './waiting.ts';

/** What a sender is answered, and what became of its message, for the log. */
export interface Received {
  readonly acknowledgement: string;
  readonly verdict: Verdict | 'waits';
}

/**
 * Takes a message: files it, or keeps it until it can be filed. Sent again by the same control id it gets the same answer, and nothing is written.
 *
 * @throws RecordError `malformed` for what is no message at all; `forbidden`; `conflict` and `throttled`, which pass.
 */
export const receive = async (context: FilingContext, bytes: Uint8Array): Promise<Received> => {
  requireInterface(context);
  const { now } = context;
  let header: Header | undefined;
  try {
    // What answers a message stands in ASCII, whatever the letters of the rest are.
    header = headerOf(new Message(Buffer.from(bytes).toString('latin1')));
    const message = new Message(textOfBytes(bytes));
    header = headerOf(message);
    requireServed(message);
    return await once(context, message, header);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    if (!header) throw new RecordError('malformed', error.message, { expression: error.at });
    return { acknowledgement: acknowledgement(header, 'AR', [remarkOf(error, 'E')], now), verdict: 'AR' };
  }
};

/** Requires that it is an application of the organisation that sends. */
export const requireInterface = ({ asking: { caller } }: FilingContext): void => {
  if (!caller.roles.includes('system') || caller.organization === undefined)
    throw new RecordError('forbidden', 'Messages are taken of applications of the organisation', {
      reason: 'forbidden-role',
    });
};

const once = async (context: FilingContext, message: Message, header: Header): Promise<Received> => {
  const sender = senderName(message.part('MSH', 3), message.part('MSH', 4));
  // No request can bear such a key, for a header has no line break.
  const idempotencyKey = `hl7-v2\n${sender}\n${message.part('MSH', 10)}`;
  const request = {
    ...context.request,
    method: 'POST',
    path: ['hl7', 'v2'],
    query: [],
    ifMatch: undefined,
    ifNoneExist: undefined,
    body: message.text,
    idempotencyKey,
  };
  try {
    return await carriedOutOnce(
      { ...context, request },
      {
        work: (own) => lookAgain(() => fileOrKeep(own, message, header)),
        answersOf: (received) => [answerOf(received)],
        repeat: async ([kept]) => receivedIn(kept),
      },
    );
  } catch (error) {
    if (error instanceof RecordError && error.reason === 'idempotency-key-reused')
      throw new Unfit('control-id-reused', 'Another message had this control id', 'MSH-10');
    throw error;
  }
};

const fileOrKeep = async (context: FilingContext, message: Message, header: Header): Promise<Received> => {
  const { now } = context;
  let received: Received | undefined;
  try {
    await fileMessage(context, message, async (remarks) => {
      received = { acknowledgement: accepted(header, remarks, now), verdict: 'AA' };
      return { plans: [], once: keeping(context.once, received) };
    });
    if (!received) throw new Error('A message was filed and not answered');
    return received;
  } catch (error) {
    const why = whyNot(error);
    if (!why || rejecting.has(why.reason)) throw error;
    const plans = await planWaiting(context, message, why);
    const task = plans.find(({ next }) => next.type === 'Task')?.next.id;
    const remark = { ...remarkOf(why, 'W'), task: `Task/${task}` };
    const waits: Received = { acknowledgement: acknowledgement(header, 'AA', [remark], now), verdict: 'waits' };
    await save({ ...context, once: keeping(context.once, waits) }, plans);
    return waits;
  }
};

/** What is kept under the key of a message is its answer, and not those of the records that it writes. */
const keeping = (once: Once | undefined, received: Received): Once | undefined =>
  once && {
    rowFor: () => once.rowFor([answerOf(received)]),
    get kept() {
      return once.kept;
    },
    set kept(kept: boolean) {
      once.kept = kept;
    },
  };

const answerOf = ({ acknowledgement: text, verdict }: Received): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [
      { name: 'acknowledgement', valueString: text },
      { name: 'verdict', valueCode: verdict },
    ],
  },
});

const receivedIn = (kept: KeptAnswer | undefined): Received => {
  const value = (name: string) =>
    (kept?.resource as fhir4.Parameters | undefined)?.parameter?.find((parameter) => parameter.name === name);
  const text = value('acknowledgement')?.valueString;
  if (text === undefined) throw new Error('No acknowledgement was kept for the message');
  return { acknowledgement: text, verdict: value('verdict')?.valueCode as Received['verdict'] };
};
