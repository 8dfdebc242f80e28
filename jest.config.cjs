module.exports = {
  testEnvironment: 'node',
  transform: { '^.+\\.[tj]sx?$': '@swc/jest' },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
  testTimeout: 30_000,
};
