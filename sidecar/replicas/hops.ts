// What is sent to other replicas: over connections that are kept, which show our certificate and take nobody but a holder of
// one of the workload's own. Bounded, and the streams of those who only listen leave room for calls.

import { randomBytes } from 'node:crypto'
import { Agent } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Forwarded } from '../http/forwarded.ts'
import { header } from '../http/exchange.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Away, Passage } from '../pipeline/stage.ts'
import { MCP_PATH } from '../../shared/names.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { traceparent } from '../telemetry/trace-context.ts'
import { Hop, goneFault } from './hop.ts'
import { askedHeaders } from './hop-headers.ts'
import { Figures } from './figures.ts'
import type { Keyring, Keys } from './keys.ts'
import type { Members } from './members.ts'
import { digestOf, VOUCHER_HEADER, writeVoucher, type Voucher } from './voucher.ts'

/** At once; each has a connection, of some 64 KiB at either end. */
const MAX_HOPS = 512
/** Of these, streams that are open until their client goes. */
const MAX_LISTENING = 384
/** A connection that nobody uses: less than whoever listens there keeps it for. */
const KEPT_MS = 30_000
const MAX_KEPT = 32

export interface HopsOptions {
  readonly keyring: Keyring
  readonly members: Pick<Members, 'has'>
  readonly port: number
  readonly forwarded: Forwarded | undefined
  readonly now: () => number
  readonly wallMs: () => number
}

interface Shown {
  readonly keys: Keys
  readonly authorities: string
  readonly agent: Agent
}

export class Hops {
  readonly figures = new Figures(() => this.open)
  private readonly options: HopsOptions
  private shown: Shown | undefined
  private open = 0
  private listening = 0

  constructor(options: HopsOptions) {
    this.options = options
  }

  /** Requests that somebody waits for. */
  get inFlight(): number {
    return this.open - this.listening
  }

  /** Sends an exchange to the replica at an address, where the Service names it. */
  async send(passage: Passage, to: string, tracing: Tracing | undefined): Promise<Fault | Away> {
    const isListening = passage.request.method === 'GET'
    if (!this.hasRoom(isListening)) return this.full()
    this.count(isListening, 1)
    let isCounted = true
    const done = (): void => {
      if (isCounted) this.count(isListening, -1)
      isCounted = false
    }
    try {
      if (await this.options.members.has(to)) return await this.go(passage, to, { tracing, done })
      this.figures.hop('gone')
      done()
      return goneFault()
    } catch (error) {
      done()
      throw error
    }
  }

  /** Shows others what is to be shown now, and takes from them what is good now; what is on its way goes on. */
  renew(): void {
    const { keyring } = this.options
    const { current: keys, authorities } = keyring
    if (this.shown?.keys === keys && this.shown?.authorities === authorities) return
    this.shown = keys && { keys, authorities, agent: agentOf(keyring, keys, authorities) }
  }

  close(): void {
    this.shown?.agent.destroy()
  }

  private hasRoom(isListening: boolean): boolean {
    return this.open < MAX_HOPS && (!isListening || this.listening < MAX_LISTENING)
  }

  private full(): Fault {
    this.figures.hop('full')
    return fault('no-capacity', 'too many calls are on their way to other replicas; try again', {
      headers: { 'retry-after': '1' },
    })
  }

  private count(isListening: boolean, by: 1 | -1): void {
    this.open += by
    if (isListening) this.listening += by
  }

  private go(
    passage: Passage,
    to: string,
    { tracing, done }: { readonly tracing: Tracing | undefined; readonly done: () => void },
  ): Promise<Fault | Away> {
    const { port, now } = this.options
    const { principal } = passage
    if (!this.shown || !principal) {
      done()
      return Promise.resolve(
        principal ? goneFault() : fault('unauthenticated', 'nobody is known to call'),
      )
    }
    const { agent, keys } = this.shown
    const sinceMs = now()
    const span = tracing?.toReplica(passage, to)
    const headers = {
      ...askedHeaders(passage.request, this.options.forwarded),
      ...(span ? { traceparent: traceparent(span.context) } : {}),
      [VOUCHER_HEADER]: this.voucherFor(passage, { to, principal }, keys),
    }
    return Hop.send(passage, {
      agent,
      to,
      port,
      headers,
      onAnswer: () => this.figures.seconds.add((now() - sinceMs) / 1000),
      onEnd: (result) => {
        this.figures.hop(result)
        span?.end(result === 'answered' ? undefined : result)
        done()
      },
    })
  }

  private voucherFor(
    { request, body, untilMs }: Passage,
    about: Pick<Voucher, 'to' | 'principal'>,
    { vouchers }: Keys,
  ): string {
    const { now, wallMs } = this.options
    return writeVoucher(vouchers, {
      ...about,
      leftMs: untilMs === Infinity ? undefined : untilMs - now(),
      atMs: wallMs(),
      nonce: randomBytes(16).toString('base64url'),
      digest: digestOf({
        method: request.method ?? '',
        path: MCP_PATH,
        session: header(request, 'mcp-session-id'),
        lastEventId: header(request, 'last-event-id'),
        body: body?.bytes,
      }),
    })
  }
}

const agentOf = (keyring: Keyring, { pair }: Keys, authorities: string): Agent => {
  const secureContext = createSecureContext({
    cert: pair.cert,
    key: pair.key,
    ca: authorities,
    minVersion: 'TLSv1.3',
  })
  return new Agent({
    keepAlive: true,
    timeout: KEPT_MS,
    maxFreeSockets: MAX_KEPT,
    maxCachedSessions: 0,
    secureContext,
    // Whose certificate it is says more than any name in it: nobody else has its key.
    checkServerIdentity: (_host, { raw }) =>
      keyring.all.some((keys) => keys.pair.certificate.raw.equals(raw))
        ? undefined
        : new Error("its certificate is not the workload's"),
  })
}
