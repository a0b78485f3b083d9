// The tools of one process as far as the bridge must know them: which arguments are mirrored in
// headers. Learned by asking `tools/list`, kept for as long as the server allows within bounds.

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { valueAt, type Response } from '../mcp/message.ts'
import { paramHeaders, type ParamHeader } from '../mcp/param-headers.ts'
import { modernMeta, ownRequest } from '../mcp/own-request.ts'
import { NO_HEADERS, type Envelope } from '../server/link.ts'
import type { Channel } from '../conversation/channel.ts'
import * as z from 'zod/mini'

const LIST = 'tools/list'
const MIN_TTL_MS = 1000
const MAX_TTL_MS = 60_000
const MAX_PAGES = 64
/** A page becomes objects, which take twenty times its text at worst. */
const MAX_PAGE_BYTES = 1024 * 1024
const TIMEOUT_MS = 10_000

export interface ToolsOptions {
  readonly now: () => number
  /** How long a process that has not answered anything yet may take. */
  readonly startupTimeoutMs: number
}

const page = z.object({
  tools: z.array(z.object({ name: z.string(), inputSchema: z.unknown() })),
  nextCursor: z.nullish(z.string()),
  ttlMs: z.nullish(z.number()),
})
type Page = z.output<typeof page>

/** A call cannot be checked, and must not go on. */
const tooLong = (): Fault =>
  fault(
    'server-failed',
    `a page of the server's ${LIST} is longer than ${MAX_PAGE_BYTES} bytes: which arguments are mirrored in headers cannot be known`,
  )

const NONE: readonly ParamHeader[] = []

/** The mirrored arguments, or why they cannot be known: then a call cannot be checked and must not go on. */
export type Mirrored = Result<readonly ParamHeader[], Fault>

export class Tools {
  private readonly channel: Pick<Channel, 'call' | 'hasAnswered'>
  private readonly options: ToolsOptions
  private known = new Map<string, readonly ParamHeader[]>()
  private freshUntilMs = 0
  private asking: Promise<Fault | undefined> | undefined

  constructor(channel: Pick<Channel, 'call' | 'hasAnswered'>, options: ToolsOptions) {
    this.channel = channel
    this.options = options
  }

  /** The server says that its tools are others now. */
  changed(): void {
    this.freshUntilMs = 0
  }

  /**
   * The mirrored arguments of a tool; a promise only where the server has to be asked first, without a version in the
   * legacy era. With headers it is asked in the name of this caller, whose fault is nobody else's.
   */
  headersOf(
    name: string,
    version: string | undefined,
    headers: Envelope['headers'] | undefined,
  ): Mirrored | Promise<Mirrored> {
    if (this.options.now() < this.freshUntilMs) return ok(this.known.get(name) ?? NONE)
    const asked = headers ? this.ask(version, headers) : this.askOnce(version)
    return asked.then((fault) => (fault ? fail(fault) : ok(this.known.get(name) ?? NONE)))
  }

  private askOnce(version: string | undefined): Promise<Fault | undefined> {
    this.asking ??= this.ask(version, NO_HEADERS.headers).finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  private async ask(
    version: string | undefined,
    headers: Envelope['headers'],
  ): Promise<Fault | undefined> {
    const known = new Map<string, readonly ParamHeader[]>()
    let cursor: string | undefined
    let ttlMs = MAX_TTL_MS
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const asked = await this.page(version, cursor, headers)
      if (!asked.ok) return asked.error
      const answer = asked.value
      if (answer === undefined) break
      for (const { name, inputSchema } of answer.tools) {
        const headers = paramHeaders(inputSchema)
        if (headers.length > 0) known.set(name, headers)
      }
      ttlMs = Math.min(ttlMs, answer.ttlMs ?? MAX_TTL_MS)
      cursor = answer.nextCursor ?? undefined
      if (cursor === undefined) break
    }
    this.known = known
    this.freshUntilMs = this.options.now() + Math.max(MIN_TTL_MS, ttlMs)
    return undefined
  }

  /** One page; undefined where the server answers that it has none: then nothing is mirrored. */
  private page(
    version: string | undefined,
    cursor: string | undefined,
    headers: Envelope['headers'],
  ): Promise<Result<Page | undefined, Fault>> {
    return new Promise((resolve) => {
      const caller = {
        answer: (_text: string, response: Response): void => {
          if (response.text.length > MAX_PAGE_BYTES) {
            resolve(fail(tooLong()))
            return
          }
          const result = response.result && valueAt(response.text, response.result)
          resolve(ok(page.safeParse(result).data))
        },
        notice: (): boolean => true,
        fault: (reason: Fault): void => resolve(fail(reason)),
      }
      const at = cursor === undefined ? {} : { cursor }
      const isModern = version !== undefined
      const meta = isModern ? { _meta: modernMeta(version) } : {}
      const own = isModern ? { 'mcp-protocol-version': version, 'mcp-method': LIST } : {}
      const request = ownRequest(LIST, { ...at, ...meta })
      this.channel.call(request, caller, {
        timeoutMs: this.channel.hasAnswered ? TIMEOUT_MS : this.options.startupTimeoutMs,
        headers: () => ({ ...headers(), ...own }),
      })
    })
  }
}
