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
  // Not there, no POST, not up yet, a web page: anything else knows what it was asked.
  http: ({ status, contentType }) =>
    ![404, 405].includes(status) &&
    status < 500 &&
    !(status < 300 && contentType.startsWith('text/html')),
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
  /** Nothing there has answered as MCP does, perhaps not yet: it may be another next time. */
  readonly isGuess?: true
}

/** What a path leads to, and how it was answered there; without an answer where its redirects lead nowhere. */
const follow = async (
  start: string,
  transport: HttpTransport,
  { ask, port }: EndpointSearch,
): Promise<{ readonly path: string; readonly answer: HttpAnswer | undefined }> => {
  let path = start
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const answer = await ask(path, transport)
    if (!isRedirect(answer.status)) return { path, answer }
    const target = answer.location && ownPath(answer.location, { path, port })
    if (target === undefined || target === '') break
    path = target
  }
  return { path: start, answer: undefined }
}

/** What is asked, in this order. */
const candidates = ({ transports, path }: EndpointSearch) =>
  transports.flatMap((transport) => {
    const paths = path === undefined ? USUAL_PATHS[transport] : [path]
    return paths.map((start) => [transport, start] as const)
  })

const endpoint = (transport: HttpTransport, start: string, path: string): Endpoint =>
  path === start ? { transport, path } : { transport, path, from: start }

/** Whether somebody is there all the same: at a path that is named, or where a server fails that has it. */
const isLikely = (answer: HttpAnswer | undefined, { path }: EndpointSearch): boolean =>
  path !== undefined || (answer !== undefined && answer.status >= 500 && answer.status !== 501)

/**
 * The endpoint; undefined where none of the usual paths is one. A path that somebody has named, or where the server
 * fails, is a guess where nothing better is found. Rejects as the asking does.
 */
export const findEndpoint = async (search: EndpointSearch): Promise<Endpoint | undefined> => {
  let guess: Endpoint | undefined
  for (const [transport, start] of candidates(search)) {
    const { path, answer } = await follow(start, transport, search)
    const found = endpoint(transport, start, path)
    if (answer && SPEAKS[transport](answer)) return found
    if (isLikely(answer, search)) guess ??= { ...found, isGuess: true }
  }
  return guess
}
