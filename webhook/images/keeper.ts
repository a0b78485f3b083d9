// Who keeps the credentials by which images are read, as messages name him, and what a reader does that lacks one.

export interface Keeper {
  readonly name: string
  /** What gets one for a registry. */
  readonly help: (host: string) => string
}

export const DOCKER: Keeper = {
  name: 'the docker configuration',
  help: (host) => `\`docker login ${host}\``,
}
