import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'threads',
    // One more than there are cores: a worker waits for the database or a process of its own for a good part of its time.
    maxWorkers: availableParallelism() + 1,
    // Test files share modules: loading the SDK and the schemas once a worker makes the suite four times faster.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A condition that a process of its own brings about takes seconds on a busy machine. The default is one.
    expect: { poll: { timeout: 25_000 } },
  },
});
