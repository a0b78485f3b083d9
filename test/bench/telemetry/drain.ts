// Where traces go in a bench: a server that takes everything and keeps nothing.

import { createServer } from 'node:http'
import { listening } from '../../support/listening.ts'

export interface Drain {
  /** As a sidecar's document names it. */
  readonly endpoint: string
  readonly close: () => void
}

export const startDrain = async (): Promise<Drain> => {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.end('{}'))
  })
  const port = await listening(server)
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
