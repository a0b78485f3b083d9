// Many issuers on one port of loopback, each under a path of its own: good ones, and ones that answer as none should.

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { JWK } from 'jose'
import { listening } from './listening.ts'

/** What an issuer does when it is asked for its metadata, and for its keys. */
export interface Behaviour {
  readonly metadata?: (response: ServerResponse, issuer: string) => void
  readonly keys?: (response: ServerResponse) => void
  /** What it says of tokens (RFC 7662); absent: nothing. */
  readonly introspect?: (response: ServerResponse, form: URLSearchParams) => void
}

export type Issuers = {
  /** The URL of the issuer of this name. */
  readonly urlOf: (name: string) => string
  readonly close: () => Promise<void>
}

type Answer = (response: ServerResponse, form: URLSearchParams) => unknown

export const startIssuers = async (
  behaviours: Readonly<Record<string, Behaviour>>,
  keys: readonly JWK[],
): Promise<Issuers> => {
  const answers = (issuer: string, name: string): Readonly<Record<string, Answer>> => {
    const metadata = { issuer, jwks_uri: `${issuer}/keys` }
    const { metadata: ofItself, keys: ofKeys, introspect } = behaviours[name] ?? {}
    return {
      '.well-known/openid-configuration': ofItself
        ? (response) => ofItself(response, issuer)
        : (response) => response.end(JSON.stringify(metadata)),
      keys: ofKeys ?? ((response) => response.end(JSON.stringify({ keys }))),
      ...(introspect ? { introspect } : {}),
    }
  }
  const server = createServer((request, response) => {
    const [, name = '', place = ''] = /^\/([\w-]+)\/(.*)$/.exec(request.url ?? '') ?? []
    const answer = answers(urlOf(name), name)[place]
    if (answer) void text(request).then((form) => answer(response, new URLSearchParams(form)))
    else response.writeHead(404).end()
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
