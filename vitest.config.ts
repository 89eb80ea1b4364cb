import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/host/**', 'test/native/**'],
    globalSetup: 'test/support/build.ts',
    pool: 'forks',
    // Vitest leaves a core to itself, which on two cores is every other one.
    poolOptions: { forks: { maxForks: Math.max(2, availableParallelism() - 1) } },
    // Guards against what hangs, not limits of speed: a shared machine may be five times slower than the one this was written on.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
