module.exports = {
  testEnvironment: 'node',
  transform: { '^.+\\.[tj]sx?$': '@swc/jest' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/', '<rootDir>/.cache/'],
  testSequencer: '<rootDir>/test/support/slowest-first.cjs',
  setupFiles: ['<rootDir>/test/support/long-timers.ts', '<rootDir>/test/support/random-seed.ts'],
  // Most tests wait for other processes more than they compute: three at a time are quicker than one on two cores.
  maxWorkers: 3,
  // A hung test is to be told before the whole is given up; no test comes near it, on however busy a machine.
  testTimeout: 180_000,
};
