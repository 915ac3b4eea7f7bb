import { type Policy, usualPolicy } from '../../shared/access/policy.ts';
import type { Publisher } from '../../shared/changes/publish.ts';
import { tellingBy } from '../../shared/changes/publisher.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { recordingBus } from './recording-bus.ts';

/** A publisher as it is deployed, on the store and the bus of a test. */
export const publisherOn = (
  store: RecordStore,
  {
    policy = {},
    bus = recordingBus(),
    ...over
  }: { policy?: Partial<Policy>; bus?: ReturnType<typeof recordingBus> } & Partial<
    Pick<Publisher, 'recipientsOf' | 'openingsTold' | 'wake'>
  > = {},
): Publisher => ({
  bus: bus.client,
  busName: 'concord',
  store,
  ...tellingBy(store, { policy: { ...usualPolicy, ...policy } }),
  ...over,
});
