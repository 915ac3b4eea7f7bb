/**
 * Takes the place of what tells apart requests that one process serves at the same time, in deployed bundles: these functions serve one at a time,
 * and the trace of that one stands in the environment, where the SDK looks next.
 */
export const InvokeStore = { getInstanceAsync: async (): Promise<undefined> => undefined };
