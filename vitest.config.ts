import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/new-folder-of-run.ts'],
    pool: 'threads',
    // One more than there are cores: a worker waits for the database or a process of its own for a good part of its time.
    maxWorkers: availableParallelism() + 1,
    // Test files share modules: loading the SDK and the schemas once a worker makes the suite four times faster.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // These end what hangs. On a busy machine what is right may take minutes.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Likewise for a condition that a process of its own brings about: starting one took more than 25 seconds where 20 others ran.
    expect: { poll: { timeout: 250_000 } },
  },
});
