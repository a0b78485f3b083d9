// The system's code for what was thrown (`ENOENT`). By shape, not by class, as messages are: what another realm threw
// (a test runner's, a worker's) has one too. Nothing else lives here.

/** Empty where there is none. */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
