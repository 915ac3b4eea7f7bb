import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'threads',
    // Test files share modules: loading the SDK and the schemas once a worker makes the suite four times faster.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
