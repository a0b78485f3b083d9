// Where a loopback server has its MCP endpoint, found by asking: a request that changes nothing, at each
// path that people use, until one is answered as MCP is. The asking itself is the caller's. Nothing is
// cached here.

/** What a server answered to the question at one path. */
export interface HttpAnswer {
  readonly status: number
  /** Absolute or relative, as it came. */
  readonly location: string | undefined
  readonly contentType: string
}

export type AskPath = (path: string) => Promise<HttpAnswer>

/** Where Streamable HTTP servers have it, the usual place first. */
export const USUAL_PATHS = ['/mcp', '/', '/http'] as const

/** A server that knows no session answers with an error, one without sessions with a result: both are MCP. */
export const QUESTION = '{"jsonrpc":"2.0","id":0,"method":"ping"}'

/** So many redirects are followed from one path. */
const MAX_HOPS = 3

const isRedirect = (status: number): boolean => [301, 302, 307, 308].includes(status)

/** Nothing is there, or something that takes no POST. */
const isElsewhere = ({ status, contentType }: HttpAnswer): boolean =>
  [404, 405, 501].includes(status) || (status < 300 && contentType.startsWith('text/html'))

const BASE = 'http://server.invalid'

/** A redirect's path on the same server; undefined where it leads to another. */
const sameServer = (
  path: string,
  location: string | undefined,
  port: number,
): string | undefined => {
  if (location === undefined || !URL.canParse(location, BASE + path)) return undefined
  const target = new URL(location, BASE + path)
  const isSame =
    target.origin === BASE ||
    (['localhost', '127.0.0.1', '[::1]'].includes(target.hostname) && target.port === `${port}`)
  return isSame ? target.pathname + target.search : undefined
}

export interface EndpointSearch {
  readonly ask: AskPath
  /** The server's port, by which an absolute redirect is known for its own. */
  readonly port: number
}

/** The path behind a path's redirects that is answered as MCP is. */
const follow = async (
  start: string,
  { ask, port }: EndpointSearch,
): Promise<string | undefined> => {
  let path = start
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const answer = await ask(path)
    if (!isRedirect(answer.status)) return isElsewhere(answer) ? undefined : path
    const target = sameServer(path, answer.location, port)
    if (target === undefined) return undefined
    path = target
  }
  return undefined
}

/** The endpoint's path; undefined where none of the usual ones is it. Rejects as the asking does. */
export const findPath = async (search: EndpointSearch): Promise<string | undefined> => {
  for (const path of USUAL_PATHS) {
    const found = await follow(path, search)
    if (found !== undefined) return found
  }
  return undefined
}
