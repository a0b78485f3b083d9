// The message of whatever was thrown. By shape, not by class: what another realm threw (a test
// runner's, a worker's) has one too. Nothing else lives here.

export const messageOf = (error: unknown): string =>
  typeof error === 'object' &&
  error !== null &&
  'message' in error &&
  typeof error.message === 'string'
    ? error.message
    : String(error)
