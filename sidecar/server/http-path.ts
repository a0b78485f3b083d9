// Where a loopback server has its MCP endpoint and by which of the two transports over HTTP it speaks, found by asking:
// requests that change nothing, at each path that people use, until one is answered as MCP is. The asking itself is
// the caller's. Nothing is cached here.

import { ownPath } from './own-path.ts'

/** `http`: Streamable HTTP; `sse`: HTTP+SSE of 2024-11-05. */
export type HttpTransport = 'http' | 'sse'

/** What a server answered to the question at one path. */
export interface HttpAnswer {
  readonly status: number
  /** Absolute or relative, as it came. */
  readonly location: string | undefined
  readonly contentType: string
}

/** Asks as a client of this transport would: by POST, or for an event stream by GET. */
export type AskPath = (path: string, transport: HttpTransport) => Promise<HttpAnswer>

/** Where each of them is usually served, the likeliest place first. */
export const USUAL_PATHS = { http: ['/mcp', '/', '/http'], sse: ['/sse'] } as const

/** A server that knows no session answers with an error, one without sessions with a result: both are MCP. */
export const QUESTION = '{"jsonrpc":"2.0","id":0,"method":"ping"}'

/** So many redirects are followed from one path. */
const MAX_HOPS = 3

const isRedirect = (status: number): boolean => [301, 302, 307, 308].includes(status)

/** Asks for a caller's own credentials: something is there, and what it is only they can find out. */
const isGuarded = (status: number): boolean => status === 401 || status === 403

/** Whether an answer is that of an MCP endpoint, by transport. */
const SPEAKS: { readonly [T in HttpTransport]: (answer: HttpAnswer) => boolean } = {
  // Not there, no POST, a web page: anything else knows what it was asked.
  http: ({ status, contentType }) =>
    ![404, 405, 501].includes(status) && !(status < 300 && contentType.startsWith('text/html')),
  sse: ({ status, contentType }) =>
    isGuarded(status) || (status === 200 && /^\s*text\/event-stream\b/i.test(contentType)),
}

export interface EndpointSearch {
  readonly ask: AskPath
  /** The server's port, by which an absolute redirect is known for its own. */
  readonly port: number
  /** Where somebody has named it. */
  readonly path: string | undefined
  /** What it may speak, the better first. */
  readonly transports: readonly HttpTransport[]
}

export interface Endpoint {
  readonly transport: HttpTransport
  readonly path: string
  /** The path that led there by redirects, where one did. */
  readonly from?: string
}

/** How a path was answered behind its redirects; undefined where these lead nowhere. */
const follow = async (
  start: string,
  transport: HttpTransport,
  { ask, port }: EndpointSearch,
): Promise<{ readonly path: string; readonly answer: HttpAnswer } | undefined> => {
  let path = start
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const answer = await ask(path, transport)
    if (!isRedirect(answer.status)) return { path, answer }
    const target = answer.location && ownPath(answer.location, { path, port })
    if (target === undefined || target === '') return undefined
    path = target
  }
  return undefined
}

const endpoint = (transport: HttpTransport, start: string, path: string): Endpoint =>
  path === start ? { transport, path } : { transport, path, from: start }

/**
 * The endpoint; undefined where none of the usual paths is one. A path that somebody has named is taken for one
 * whatever is answered there, as soon as it is no other transport's. Rejects as the asking does.
 */
export const findEndpoint = async (search: EndpointSearch): Promise<Endpoint | undefined> => {
  let named: Endpoint | undefined
  for (const transport of search.transports) {
    const paths = search.path === undefined ? USUAL_PATHS[transport] : [search.path]
    for (const start of paths) {
      const found = await follow(start, transport, search)
      if (found && SPEAKS[transport](found.answer)) return endpoint(transport, start, found.path)
      if (search.path !== undefined) named ??= endpoint(transport, start, found?.path ?? start)
    }
  }
  return named
}
