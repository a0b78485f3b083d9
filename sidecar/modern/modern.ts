// The modern era (2026-07-28): every POST stands alone. It finds the principal's process, checks
// mirrored arguments, and answers with JSON or a stream; who hangs up cancels.

import type { Permit } from '../access/permit.ts'
import type { Call, Caller } from '../bridge/channel.ts'
import { header, type Exchange } from '../front/exchange.ts'
import type { Reply } from '../front/reply.ts'
import { LOG_LEVEL_KEY, VERSION_KEY } from '../mcp/classify.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import {
  member,
  metaOf,
  slice,
  stringAt,
  valueAt,
  type Message,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { paramMismatch, type ParamHeader } from '../mcp/param-headers.ts'
import { Pool, type PoolOptions } from './pool.ts'
import type { Backend } from './backend.ts'

export interface ModernOptions extends PoolOptions {
  readonly requestTimeoutMs: number
  readonly startupTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly keepAliveMs: number
}

const SUBSCRIBE = 'subscriptions/listen'

/** HTTP status by JSON-RPC error code (2026-07-28, transports); other errors are 200. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [-32_601, 404],
  [-32_700, 400],
  [-32_600, 400],
  [-32_020, 400],
  [-32_021, 400],
  [-32_022, 400],
])

export class Modern {
  private readonly options: ModernOptions
  private readonly pool: Pool
  private readonly open = new Set<ModernCall>()

  constructor(options: ModernOptions) {
    this.options = options
    this.pool = new Pool(options)
  }

  get inFlight(): number {
    return this.open.size
  }

  async post(permit: Permit, exchange: Exchange, message: Message): Promise<undefined> {
    const { reply } = exchange
    if (message.kind !== 'request') {
      // HTTP clients of this era have no notifications; hanging up is how they cancel.
      reply.empty(202)
      return
    }
    const idText = slice(message.text, message.id)
    const wantsLogs =
      message.method !== SUBSCRIBE && member(metaOf(message), LOG_LEVEL_KEY) !== undefined
    const found = this.pool.find(permit.principal.key, wantsLogs)
    const backend = found instanceof Promise ? await found : found
    if (!backend.ok) {
      reply.fault(backend.error, idText)
      return
    }
    const declared = this.mirrored(backend.value, message)
    const headers = declared instanceof Promise ? await declared : declared
    const wrong = this.headerFault(exchange, message, headers)
    if (wrong) reply.fault(wrong, idText)
    else if (reply.state !== 'done') this.forward(backend.value, exchange, message, wantsLogs)
  }

  sweep(nowMs: number): void {
    for (const call of this.open) call.sweep(nowMs, this.options.keepAliveMs)
    this.pool.sweep(nowMs, this.options.idleTimeoutMs)
  }

  /** Ends subscriptions, which would otherwise outlive a drain. */
  endSubscriptions(): void {
    for (const call of this.open) if (call.isSubscription) call.end()
  }

  close(): void {
    for (const call of this.open) call.fault(fault('draining', 'the sidecar is ending'))
    this.pool.close()
  }

  private mirrored(
    backend: Backend,
    request: Request,
  ): readonly ParamHeader[] | Promise<readonly ParamHeader[]> {
    if (request.method !== 'tools/call') return []
    const name = stringAt(request.text, member(request.params, 'name'))
    const version = stringAt(request.text, member(metaOf(request), VERSION_KEY))
    return name === undefined || version === undefined ? [] : backend.tools.headersOf(name, version)
  }

  private headerFault(
    exchange: Exchange,
    request: Request,
    declared: readonly ParamHeader[],
  ): Fault | undefined {
    if (declared.length === 0) return undefined
    const args = valueAt(request.text, member(request.params, 'arguments'))
    const wrong = paramMismatch(declared, args, (name) => header(exchange.request, name))
    return wrong === undefined ? undefined : fault('header-mismatch', wrong)
  }

  private forward(
    backend: Backend,
    exchange: Exchange,
    request: Request,
    wantsLogs: boolean,
  ): void {
    const caller = new ModernCall(exchange.reply, request, this.options.now, () => {
      this.open.delete(caller)
      backend.lastUsedMs = this.options.now()
      if (backend.logReader === caller) backend.logReader = undefined
    })
    this.open.add(caller)
    if (wantsLogs) backend.logReader = caller
    const { requestTimeoutMs, startupTimeoutMs } = this.options
    const timeoutMs = backend.channel.hasAnswered ? requestTimeoutMs : startupTimeoutMs
    const call = backend.channel.call(request, caller, {
      timeoutMs: caller.isSubscription ? 0 : timeoutMs,
      headers: mcpHeaders(exchange),
    })
    if (call) exchange.reply.onGone(() => caller.gone(backend, call))
  }
}

const mcpHeaders = ({ request }: Exchange): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(request.headers).filter(
      (entry): entry is [string, string] =>
        entry[0].startsWith('mcp-') && typeof entry[1] === 'string',
    ),
  )

/** One request in flight and its reply. */
class ModernCall implements Caller {
  readonly isSubscription: boolean
  private readonly reply: Reply
  private readonly idText: string
  private readonly now: () => number
  private readonly onDone: () => void

  constructor(reply: Reply, request: Request, now: () => number, onDone: () => void) {
    this.reply = reply
    this.idText = slice(request.text, request.id)
    this.isSubscription = request.method === SUBSCRIBE
    this.now = now
    this.onDone = onDone
  }

  answer(text: string, { text: raw, error }: Response): void {
    const code = member(error?.object, 'code')
    const status = code && STATUS.get(Number(slice(raw, code)))
    this.onDone()
    this.reply.json(text, status ?? 200)
  }

  notice(text: string): void {
    // A slow reader's stream ends at its bound; the process is shared with the principal's other requests.
    if (!this.reply.event(text, this.now())) this.reply.end()
  }

  fault(fault: Fault): void {
    this.onDone()
    this.reply.fault(fault, this.idText)
  }

  gone(backend: Backend, call: Call): void {
    this.onDone()
    backend.channel.cancel(call, 'disconnected')
  }

  end(): void {
    this.reply.end()
  }

  sweep(nowMs: number, keepAliveMs: number): void {
    if (nowMs - this.reply.lastWriteMs >= keepAliveMs) this.reply.keepAlive(nowMs)
  }
}
