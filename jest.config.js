// Three tiers, one configuration: unit (no sockets, no files, no clock), integration (real
// processes on loopback), cluster (a real API server; see test/cluster/README.md).
const tier = (name, maxSeconds) => ({
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  testTimeout: maxSeconds * 1000,
})

export default {
  projects: [tier('unit', 30), tier('integration', 120), tier('cluster', 600)],
  reporters: ['default', '<rootDir>/test/support/closing-line.js'],
}
