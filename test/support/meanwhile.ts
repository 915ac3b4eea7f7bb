import { AsyncLocalStorage } from 'node:async_hooks';
import type { FhirServer, TestResponse } from './fhir-server.ts';

/** Sends a request, before each of whose calls to DynamoDB something happens, given the number of the call. */
export type Meanwhile = (
  request: () => Promise<TestResponse>,
  before: (call: number) => Promise<void>,
) => Promise<TestResponse>;

/** Lets things happen before the calls of a single request of a server; what happens then has calls of its own, before which nothing does. */
export const meanwhile = ({ store }: FhirServer): Meanwhile => {
  const running = new AsyncLocalStorage<{ before: (call: number) => Promise<void>; calls: number }>();
  store.client.middlewareStack.add(
    (next) => async (args) => {
      const state = running.getStore();
      if (state) {
        const own = ++state.calls;
        await running.exit(() => state.before(own));
      }
      return next(args);
    },
    { step: 'initialize', name: 'meanwhile', priority: 'high' },
  );
  return (request, before) => running.run({ before, calls: 0 }, request);
};
