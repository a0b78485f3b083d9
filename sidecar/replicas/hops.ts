// What is sent to other replicas: over connections that are kept, which show our certificate and take nobody but a holder of
// one of the workload's own. Bounded, and the streams of those who only listen leave room for calls.

import { randomBytes } from 'node:crypto'
import { Agent } from 'node:https'
import { createSecureContext } from 'node:tls'
import { personOf } from '../access/principal.ts'
import type { Forwarded } from '../http/forwarded.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage } from '../pipeline/stage.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { traceparent } from '../telemetry/trace-context.ts'
import { Hop, type Outcome } from './hop.ts'
import { askedHeaders } from './hop-headers.ts'
import { Figures } from './figures.ts'
import type { Keyring, Keys } from './keys.ts'
import type { Members } from './members.ts'
import { deedOf, digestOf, VOUCHER_HEADER, writeVoucher, type Voucher } from './voucher.ts'

/** At once; each has a connection, of some 64 KiB at either end. */
const MAX_HOPS = 512
/** Of these, streams that are open until their client goes. */
const MAX_LISTENING = 384
/** Of these, one caller's: others find room, too. */
const MAX_OF_ONE = 256
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
  /** By who it is, whatever its processes are given. */
  private readonly byCaller = new Map<string, number>()

  constructor(options: HopsOptions) {
    this.options = options
  }

  /** Requests that somebody waits for. */
  get inFlight(): number {
    return this.open - this.listening
  }

  /** Sends an exchange to the replica at an address; undefined where the Service does not name it, or nobody is there. */
  async send(passage: Passage, to: string, tracing: Tracing | undefined): Promise<Outcome> {
    const { principal } = passage
    if (!principal) return fault('unauthenticated', 'nobody is known to call')
    const isListening = passage.request.method === 'GET'
    // Where nobody is asked who they are, all are one.
    const caller = principal.identity && personOf(principal)
    if (!this.hasRoom(isListening, caller)) return this.full()
    this.count(isListening, caller, 1)
    let isCounted = true
    const done = (): void => {
      if (isCounted) this.count(isListening, caller, -1)
      isCounted = false
    }
    try {
      const about = { to, principal }
      if (await this.options.members.has(to)) {
        return await this.go(passage, about, { tracing, done })
      }
      this.figures.hop('gone')
      done()
      return undefined
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

  private hasRoom(isListening: boolean, caller: string | undefined): boolean {
    if (caller !== undefined && (this.byCaller.get(caller) ?? 0) >= MAX_OF_ONE) return false
    return this.open < MAX_HOPS && (!isListening || this.listening < MAX_LISTENING)
  }

  private full(): Fault {
    this.figures.hop('full')
    return fault('no-capacity', 'too many calls are on their way to other replicas; try again', {
      headers: { 'retry-after': '1' },
    })
  }

  private count(isListening: boolean, caller: string | undefined, by: 1 | -1): void {
    this.open += by
    if (isListening) this.listening += by
    if (caller === undefined) return
    const count = (this.byCaller.get(caller) ?? 0) + by
    if (count === 0) this.byCaller.delete(caller)
    else this.byCaller.set(caller, count)
  }

  private go(
    passage: Passage,
    about: Pick<Voucher, 'to' | 'principal'>,
    { tracing, done }: { readonly tracing: Tracing | undefined; readonly done: () => void },
  ): Promise<Outcome> {
    const { port, now } = this.options
    if (!this.shown) {
      done()
      return Promise.resolve(undefined)
    }
    const { agent, keys } = this.shown
    const { to } = about
    const sinceMs = now()
    const span = tracing?.toReplica(passage, to)
    const headers = {
      ...askedHeaders(passage.request, this.options.forwarded),
      ...(span ? { traceparent: traceparent(span.context) } : {}),
      [VOUCHER_HEADER]: this.voucherFor(passage, about, keys),
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
    passage: Passage,
    about: Pick<Voucher, 'to' | 'principal'>,
    { vouchers }: Keys,
  ): string {
    const { now, wallMs } = this.options
    const { request, untilMs } = passage
    return writeVoucher(vouchers, {
      ...about,
      from: request.socket.remoteAddress,
      leftMs: untilMs === Infinity ? undefined : untilMs - now(),
      atMs: wallMs(),
      nonce: randomBytes(16).toString('base64url'),
      digest: digestOf(deedOf(passage)),
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
