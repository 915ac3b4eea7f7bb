import type { StreamConsumer } from './stream-poller.ts';

/** The functions behind the table's stream. */
export const streamConsumers: readonly StreamConsumer[] = [
  { name: 'publish-changes', entry: 'functions/publish-changes.ts' },
  { name: 'index-audit', entry: 'functions/index-audit.ts' },
];
