// A server's paths besides MCP that its author has opened (health, metrics): passed to it as GET or HEAD, to the letter
// and nothing else. Where MCP is spoken is never among them, whatever the setting says, and no event stream passes.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Forwarded } from '../http/forwarded.ts'
import type { Reply } from '../http/reply.ts'
import { answerUnread } from '../http/unread.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { isEventStream } from './http-answer.ts'
import type { Loopback } from './loopback.ts'

/** At once; more are told to come again. */
const MAX_OPEN = 64
/** Longest silence of the server. */
const TIMEOUT_MS = 30_000
/** Longest answer altogether: what takes longer is no page. */
const MAX_MS = 120_000

/** What a page or a scrape needs to be told apart by. */
const ASKED = [
  'accept',
  'accept-encoding',
  'accept-language',
  'if-modified-since',
  'if-none-match',
  'range',
  'user-agent',
]
/** Of the connection between us and the server, or of a session there. */
const NOT_OURS = /^(?:connection|keep-alive|mcp-.*|proxy-.*|te|trailer|transfer-encoding|upgrade)$/

const pick = (headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )

const answerHeaders = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_OURS.test(name)))

export interface OpenPathsOptions {
  readonly loopback: Loopback
  readonly paths: readonly string[]
  /** Where the server speaks MCP, as far as that is known. */
  readonly endpoint: () => string | undefined
  readonly forwarded: Forwarded | undefined
}

export class OpenPaths {
  private readonly options: OpenPathsOptions
  private readonly paths: ReadonlySet<string>
  private open = 0

  constructor(options: OpenPathsOptions) {
    this.options = options
    this.paths = new Set(options.paths)
  }

  /** Passes a request on where its path is one of them; false where it is not. */
  serve(request: IncomingMessage, reply: Reply): boolean {
    const { method = '', url = '' } = request
    const path = url.split('?', 1)[0] ?? ''
    if (!this.paths.has(path) || this.isEndpoint(path)) return false
    const isRead = method === 'GET' || method === 'HEAD'
    if (isRead && this.open < MAX_OPEN) this.pass(request, reply)
    else answerUnread(request, reply, () => reply.fault(isRead ? busy() : onlyRead(path)))
    return true
  }

  private isEndpoint(path: string): boolean {
    const endpoint = this.options.endpoint()
    return endpoint !== undefined && withoutSlash(path) === withoutSlash(endpoint)
  }

  private pass(request: IncomingMessage, reply: Reply): void {
    const { loopback, forwarded } = this.options
    const { method = 'GET', url = '/', headers } = request
    this.open++
    const sent = loopback.request({
      method,
      path: url,
      headers: { ...forwarded?.(request), ...pick(headers, ASKED) },
      isLasting: true,
      timeout: TIMEOUT_MS,
    })
    const late = setTimeout(
      () => sent.destroy(new Error(`no whole answer within ${MAX_MS} ms`)),
      MAX_MS,
    )
    sent.on('response', (answer) => {
      const why = whyNot(answer)
      if (why === undefined) reply.pass(answer, answerHeaders(answer.headers))
      else {
        answer.destroy()
        reply.fault(why)
      }
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer for ${TIMEOUT_MS} ms`)))
    sent.on('error', (error) => reply.fault(fault('server-failed', loopback.sentence(error))))
    sent.on('close', () => {
      clearTimeout(late)
      this.open--
    })
    reply.watch({ faulted: () => undefined, closed: () => void sent.destroy() })
    sent.end()
  }
}

/** A status that is none would end this process where it is written. */
const isStatus = (status: number): boolean => status >= 200 && status <= 999

const whyNot = (answer: IncomingMessage): Fault | undefined => {
  const { statusCode = 0 } = answer
  if (!isStatus(statusCode)) {
    return fault('server-failed', `the server answered HTTP ${statusCode}, which is no status`)
  }
  return isEventStream(answer)
    ? fault('path-not-found', 'an event stream is there, which does not pass')
    : undefined
}

const withoutSlash = (path: string): string => path.replace(/\/$/, '')

const onlyRead = (path: string): Fault =>
  fault('method-not-allowed', `use GET or HEAD at ${path}`, { headers: { allow: 'GET, HEAD' } })

const busy = (): Fault =>
  fault('no-capacity', 'too many requests to the paths of the server; try again later', {
    headers: { 'retry-after': '1' },
  })
