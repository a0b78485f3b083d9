// How fast large bodies are read. Node reads up to 2 MiB of a connection before it looks at the next one: of 200 that all
// have so much, everybody else's call waits for half a second (`npm run bench -- pressure`).

import type { IncomingMessage } from 'node:http'

/** Called for each piece: the next one comes in the next turn of the event loop, if it is wanted then. */
export const readOneATurn = (request: IncomingMessage, isWanted = (): boolean => true): void => {
  request.pause()
  setImmediate(() => {
    if (isWanted()) request.resume()
  })
}
