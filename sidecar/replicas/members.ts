// Which addresses the workload's headless Service names: nothing else is ever dialled. Asked of the name servers when somebody
// wants to know, kept for a moment, asked once however many want to know. A replica that has just come may not be named
// yet, at the name server that we ask: an address that we have never seen there is waited for, once and not for long.

import { addressOf, textOf } from '../../shared/address.ts'
import { codeOf } from '../../shared/error-code.ts'

/** The addresses of a name; rejects where it has none, or nobody says. */
export type ResolveService = (service: string) => Promise<readonly string[]>

const FRESH_MS = 2000
const KEEP_MS = 10_000
/** Where nobody answers, what was said last holds for so long. */
const STALE_MS = 30_000
/** Cluster DNS keeps what it says for 5 s (CoreDNS, plugin kubernetes). */
const WAIT_MS = 6000
const STEP_MS = 500
const ABSENT_MS = 30_000
const MAX_MEMBERS = 8192
const MAX_REMEMBERED = 8192

export interface MembersOptions {
  readonly service: string
  readonly resolve: ResolveService
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<unknown>
}

const isNobody = (error: unknown): boolean => /^(?:ENOTFOUND|ENODATA)$/.test(codeOf(error))

/** Keeps the newest of a bounded number. */
const remember = <V>(map: Map<string, V>, key: string, value: V): void => {
  map.delete(key)
  const [oldest] = map.keys()
  if (map.size >= MAX_REMEMBERED && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}

export class Members {
  private readonly options: MembersOptions
  private named: ReadonlySet<string> = new Set()
  private atMs = -Infinity
  private asking: Promise<void> | undefined
  /** Those that have been named once. */
  private readonly seen = new Map<string, true>()
  /** Those that have been waited for in vain, until when nobody waits for them again. */
  private readonly absent = new Map<string, number>()
  private readonly awaited = new Map<string, Promise<boolean>>()

  constructor(options: MembersOptions) {
    this.options = options
  }

  /** Looks now and then, so that it is known who has been there. */
  keep(): void {
    if (this.options.now() - this.atMs >= KEEP_MS) void this.refresh()
  }

  /** Whether the Service names it; at once where that was asked a moment ago. */
  has(address: string): boolean | Promise<boolean> {
    const isFresh = this.options.now() - this.atMs < FRESH_MS
    if (isFresh && this.named.has(address)) return true
    return this.look(address)
  }

  private async look(address: string): Promise<boolean> {
    await this.refresh()
    if (this.named.has(address)) return true
    const absentUntilMs = this.absent.get(address) ?? -Infinity
    if (this.seen.has(address) || this.options.now() < absentUntilMs) return false
    return this.awaitIt(address)
  }

  /** Whoever asks for the same one waits with the others; more than can be remembered do not wait. */
  private awaitIt(address: string): boolean | Promise<boolean> {
    const running = this.awaited.get(address)
    if (running) return running
    if (this.awaited.size >= MAX_REMEMBERED) return false
    const waiting = this.waitFor(address).finally(() => this.awaited.delete(address))
    this.awaited.set(address, waiting)
    return waiting
  }

  private async waitFor(address: string): Promise<boolean> {
    const { now, sleep } = this.options
    const endMs = now() + WAIT_MS
    while (now() < endMs) {
      await sleep(STEP_MS)
      await this.refresh()
      if (this.named.has(address)) return true
    }
    remember(this.absent, address, now() + ABSENT_MS)
    return false
  }

  private refresh(): Promise<void> {
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined
    })
    return this.asking
  }

  private async ask(): Promise<void> {
    const { service, resolve, now } = this.options
    try {
      this.take(await resolve(service))
    } catch (error) {
      if (isNobody(error)) this.take([])
      else if (now() - this.atMs >= STALE_MS) this.named = new Set()
    }
  }

  private take(found: readonly string[]): void {
    const addresses = found.slice(0, MAX_MEMBERS).flatMap((text) => addressOf(text) ?? [])
    this.named = new Set(addresses.map(textOf))
    this.atMs = this.options.now()
    for (const address of this.named) remember(this.seen, address, true)
  }
}
