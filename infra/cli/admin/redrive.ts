import { GetQueueAttributesCommand, SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { parkedCharts } from '../../../shared/store/feed/parked-charts.ts';
import { CommandFailed } from '../command.ts';
import { fileGivenUp } from './file-given-up.ts';
import type { DeadLetterQueue } from './place.ts';
import { tableOf } from './text-table.ts';
import { defineVerb, type Report, requireNoWords, type Surroundings } from './verb.ts';

interface Remedy {
  /** Whether something is sent or filed again. */
  readonly moves: boolean;
  readonly words: string;
}

/** What is to be done about what a queue holds. */
const remedies: Readonly<Record<DeadLetterQueue['holds'], Remedy>> = {
  wakes: { moves: true, words: 'goes back to the queue of wakes' },
  replays: { moves: true, words: 'goes back to the queue of replayed events, and is decided upon anew' },
  events: { moves: false, words: 'stays: consent may have changed. The partner reads _changes' },
  places: { moves: false, words: 'stays: the daily reconciliation publishes what the feed lacks' },
};

/** The consumer of the stream whose work nothing else does later. */
const filing = 'FileAccesses';

const remedyOf = ({ name, holds }: DeadLetterQueue): Remedy =>
  name === filing ? { moves: true, words: 'is filed again, as long as the stream has it: a day' } : remedies[holds];

interface Found {
  readonly queue: DeadLetterQueue;
  readonly messages: number;
}

/** `redrive`: looks at all that was given up, and sends again what may be sent again. */
export const redrive = defineVerb({
  name: 'redrive',
  summary: 'Shows what was given up (dead letters, parked charts), and sends again what may be',
  synopsis: '[--queue NAME]… [--yes]',
  explained: '--queue NAME    only this queue, as the list names it',
  effect: 'ends',
  options: { queue: { type: 'string', multiple: true } },
  understand: ({ values, positionals }) => {
    requireNoWords(positionals);
    return { only: values.queue };
  },
  run: async ({ only }, { place, dryRun, say }: Surroundings): Promise<Report> => {
    const at = await place();
    const queues = await at.deadLetters();
    const unknown = only?.find((name) => !queues.some((queue) => queue.name === name));
    if (unknown !== undefined) {
      throw new CommandFailed(`There is no queue "${unknown}". Queues: ${queues.map(({ name }) => name).join(', ')}`);
    }
    const wanted = queues.filter(({ name }) => only?.includes(name) ?? true);
    const client = new SQSClient({ ...at.services });
    try {
      const found = await Promise.all(wanted.map((queue) => counted(client, queue)));
      const moved = found.filter(({ queue, messages }) => messages > 0 && remedyOf(queue).moves);
      let tooOld = 0;
      if (!dryRun)
        for (const { queue } of moved) {
          if (queue.name !== filing) await move(client, queue, say);
          else tooOld = (await fileGivenUp(at, queue, client)).tooOld;
        }
      const parked = [...(await parkedCharts(at.table)).values()];
      return report(found, dryRun ? [] : moved, parked, tooOld);
    } finally {
      client.destroy();
    }
  },
});

const counted = async (client: SQSClient, queue: DeadLetterQueue): Promise<Found> => {
  const { Attributes } = await client
    .send(new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['ApproximateNumberOfMessages'] }))
    .catch((error: Error) => {
      throw new CommandFailed(`The queue ${queue.name} cannot be looked at: ${error.message}`);
    });
  return { queue, messages: Number(Attributes?.ApproximateNumberOfMessages ?? 0) };
};

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html */
const move = async (client: SQSClient, { name, arn }: DeadLetterQueue, say: (words: string) => void) => {
  await client.send(new StartMessageMoveTaskCommand({ SourceArn: arn })).catch((error: Error) => {
    throw new CommandFailed(`What lies in ${name} cannot be moved: ${error.message}`);
  });
  say(`${name}: moving`);
};

const report = (
  found: readonly Found[],
  moved: readonly Found[],
  parked: readonly { readonly reason: string; readonly since: number; readonly tried: number }[],
  tooOld: number,
): Report => {
  const rows = found.map(({ queue, messages }) => [
    queue.name,
    String(messages),
    messages === 0 ? 'nothing to do' : remedyOf(queue).words,
  ]);
  const charts = parked.map(({ reason, since, tried }) => [
    'parked chart',
    new Date(since).toISOString(),
    reason,
    tried === 0 ? 'not tried yet' : `tried ${new Date(tried).toISOString()}`,
  ]);
  return {
    text: [
      tableOf(['queue', 'messages', 'what becomes of it'], rows),
      '',
      charts.length === 0
        ? 'No chart is parked.'
        : `${tableOf(['', 'since', 'why', ''], charts)}\nEach is tried again every five minutes, once what is wrong with it is mended (docs/store.md).`,
      ...(tooOld === 0
        ? []
        : [
            `${tooOld} batches of the access log are older than the stream: they are in the logs of their charts alone.`,
          ]),
    ].join('\n'),
    data: {
      tooOld,
      queues: found.map(({ queue, messages }) => ({
        name: queue.name,
        holds: queue.holds,
        messages,
        moved: moved.some((each) => each.queue === queue),
      })),
      parked: parked.map(({ reason, since, tried }) => ({ reason, since, tried })),
    },
    leftUndone:
      tooOld > 0 || parked.length > 0 || found.some(({ queue, messages }) => messages > 0 && !remedyOf(queue).moves),
  };
};
