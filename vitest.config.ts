import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { 'process.env.CLAWLINK_VERSION': JSON.stringify('test') },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 4,
  },
})
