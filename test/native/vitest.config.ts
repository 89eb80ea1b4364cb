import { defineConfig } from 'vitest/config'

/** What needs a real TensorFlow, a compiler and npm's registry: `npm run test:native`, never part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/native/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 900_000,
  },
})
