import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { statusIn } from './backport-guide.ts';

/** A request that came to a receiver. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bundle: fhir4.Bundle;
  readonly status: ReturnType<typeof statusIn>;
}

/** Somebody's endpoint on this machine, with all that came to it in its order. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Those of a type. */
  readonly of: (type: string) => readonly Received[];
  /** Numbers of the events that it answered by 200, in their order. */
  readonly taken: () => readonly number[];
  /** What it answers from now on; 200 at first. */
  answers: (received: Received) => number;
  readonly stop: () => void;
}

export const webhookReceiver = async (): Promise<WebhookReceiver> => {
  const received: Received[] = [];
  const taken: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const bundle = JSON.parse(text) as fhir4.Bundle;
      const one = { headers: request.headers, text, bundle, status: statusIn(bundle.entry?.[0]?.resource) };
      const answer = receiver.answers(one);
      received.push(one);
      if (answer === 200) taken.push(...one.status.events.map(({ number }) => number));
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notices`,
    received,
    of: (type) => received.filter(({ status }) => status.type === type),
    taken: () => taken,
    answers: () => 200,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
};
