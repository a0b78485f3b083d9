// Whether what was thrown says that a file is not there. By shape, not by class, as messages are.
// Nothing else lives here.

export const isMissingFile = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'
