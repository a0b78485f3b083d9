// What to do about a server that exits where another process of it lives: many hold a lock, a port or a profile.

/** The end of a sentence that says how the second process ended. */
export const oneOnly = (model: string): string =>
  `another process of this server is running, and it seems to allow one only: set outrigger.dev/process-model (now ${model}) to principal or shared, and outrigger.dev/max-processes to 1`
