// Four tiers, one configuration: unit (no sockets, no files, no clock), integration (real
// processes on loopback), cluster (a real API server; see test/cluster/README.md), corpus (real
// servers from the registries of npm and PyPI).
const tier = (name) => ({
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
})

const leavesNothing = (name) => ({
  ...tier(name),
  globalSetup: '<rootDir>/test/support/own-folder.js',
  globalTeardown: '<rootDir>/test/support/own-folder-end.js',
})

export default {
  // Clusters stand in the temporary directory of the machine, and outlive a run.
  projects: [leavesNothing('unit'), leavesNothing('integration'), tier('cluster'), tier('corpus')],
  // Most of a test's time is spent on processes that it waits for; jest would leave a core to itself, of two every other.
  maxWorkers: '100%',
  // What a file of tests has loaded stays with its worker, to more than a gigabyte: one that goes so late is said to leak.
  workerIdleMemoryLimit: '300MB',
  // No assertion: only what hangs for good ends here. (jest takes it at this level alone.)
  testTimeout: 300_000,
  reporters: ['default', '<rootDir>/test/support/closing-line.js'],
}
