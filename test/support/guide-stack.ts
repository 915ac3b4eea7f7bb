// Concord in a process of its own, whose clock is put forward at the word of the process that started it: the time of one test is nobody else's.
import { importHandler } from '../../infra/local/lambda.ts';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';

/** What the process is asked; it answers each with the same number. */
export type StackRequest = { readonly number: number } & (
  | { readonly ask: 'token'; readonly user: string }
  | { readonly ask: 'delivered' }
  | { readonly ask: 'pass'; readonly ms: number }
  | { readonly ask: 'stop' }
);
export interface StackAnswer {
  readonly number: number;
  readonly answer?: string;
  readonly error?: string;
}

const clock = Date.now;
let ahead = 0;
Date.now = () => clock() + ahead;

const { startConcord } = await import('../../infra/local/concord.ts');
const concord = await startConcord({
  port: 0,
  dataDir: process.argv[2] ?? '',
  scratch: true,
  // What nobody here asks for.
  seed: false,
  schedule: [],
  poolFunctions: false,
  consumers: streamConsumers.filter(({ name }) => name === 'publish-changes'),
});

const answerTo = async (request: StackRequest): Promise<string> => {
  switch (request.ask) {
    case 'token':
      return concord.token(request.user);
    case 'pass':
      ahead += request.ms;
      await ((await importHandler('functions/tick-subscriptions.ts')) as () => Promise<void>)();
      break;
    case 'delivered':
      break;
    case 'stop':
      await concord.stop();
      process.disconnect();
      return '';
  }
  await concord.delivered();
  return '';
};

const send = (answer: StackAnswer): void => void process.send?.(answer);
process.on('message', (request: StackRequest) => {
  const { number } = request;
  answerTo(request).then(
    (answer) => process.connected && send({ number, answer }),
    (error: unknown) => send({ number, error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
send({ number: 0, answer: concord.url });
