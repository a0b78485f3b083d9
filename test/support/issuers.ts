// Many issuers on one port of loopback, each under a path of its own: good ones, and ones that answer as none should.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { JWK } from 'jose'
import { listening } from './listening.ts'

/** What an issuer does when it is asked for its metadata, and for its keys. */
export interface Behaviour {
  readonly metadata?: (response: ServerResponse, issuer: string) => void
  readonly keys?: (response: ServerResponse) => void
}

export type Issuers = {
  /** The URL of the issuer of this name. */
  readonly urlOf: (name: string) => string
  readonly close: () => Promise<void>
}

export const startIssuers = async (
  behaviours: Readonly<Record<string, Behaviour>>,
  keys: readonly JWK[],
): Promise<Issuers> => {
  const server = createServer((request, response) => {
    const [, name = '', place = ''] = /^\/([\w-]+)\/(.*)$/.exec(request.url ?? '') ?? []
    const { metadata, keys: other } = behaviours[name] ?? {}
    const issuer = urlOf(name)
    if (place === '.well-known/openid-configuration') {
      if (metadata) metadata(response, issuer)
      else response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }))
    } else if (place === 'keys') {
      if (other) other(response)
      else response.end(JSON.stringify({ keys }))
    } else response.writeHead(404).end()
  })
  const port = await listening(server)
  const urlOf = (name: string): string => `http://127.0.0.1:${port}/${name}`
  return {
    urlOf,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
