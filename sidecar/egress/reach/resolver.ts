// Names to addresses: absolute ones, asked of the name servers of resolv.conf themselves. No search list, no hosts file (in a
// pod both can be written by whoever wrote the pod), no thread that a slow server could hold. Bounded in names, in what one
// client may have asked at once, and in time: what nobody waits for any more ends.

import { Resolver } from 'node:dns/promises'
import { codeOf } from '../../../shared/error-code.ts'
import { FairTurns } from '../../../shared/fair-turns.ts'
import type { Patience } from './dial.ts'

/** Who wants to know, and for how long. */
export interface Asker extends Patience {
  /** The client's: look-ups are shared out among these. */
  readonly key: string
}

/**
 * Rejects with a code where a name leads nowhere (`ENOTFOUND`), where it takes too long (`ETIMEOUT`), or where its turn has not
 * come by then (`EBUSY`).
 */
export type Resolve = (name: string, asker: Asker) => Promise<readonly string[]>

/** Of one try; there are two, of each name server. */
const TRY_MS = 2000
const TRIES = 2
/** Names that are looked up at once; whoever asks for more waits. */
const MAX_AT_ONCE = 64
/** The same of one client. */
const MAX_OF_ONE = 8
/** So many names are remembered. */
const MAX_KEPT = 512
/** And so long at most, whatever their servers say. */
const MAX_TTL_S = 30
/** So long the other family is waited for (RFC 8305, section 3). */
const OTHER_FAMILY_MS = 50
/** Of one name. */
const MAX_ADDRESSES = 8

interface Found {
  readonly address: string
  readonly ttl: number
}

interface Kept {
  readonly addresses: readonly string[]
  readonly untilMs: number
}

export interface NameServers {
  resolve4(name: string, options: { readonly ttl: true }): Promise<readonly Found[]>
  resolve6(name: string, options: { readonly ttl: true }): Promise<readonly Found[]>
  /** What is asked and has no answer fails. */
  cancel(): void
}

export class NameFault extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

const pause = (ms: number): Promise<readonly Found[]> =>
  new Promise((resolve) => {
    setTimeout(() => resolve([]), ms)
  })

/** Those of IPv4 first: many pods have no way out for the others. */
const both = async (servers: NameServers, name: string): Promise<readonly Found[]> => {
  const [four, six] = [
    servers.resolve4(name, { ttl: true }),
    servers.resolve6(name, { ttl: true }).catch((error: unknown) => error),
  ]
  const found = await four.catch((error: unknown) => error)
  if (Array.isArray(found) && found.length > 0) {
    const other = await Promise.race([six, pause(OTHER_FAMILY_MS)])
    return Array.isArray(other) ? [...found, ...other] : found
  }
  const other = await six
  if (Array.isArray(other) && other.length > 0) return other
  const code = codeOf(found) === 'ENOTFOUND' || codeOf(other) === 'ENOTFOUND' ? 'ENOTFOUND' : ''
  throw new NameFault(code || codeOf(found) || 'ENODATA')
}

/** What is asked for somebody, from the moment that it waits for its turn; others may join once it has had that. */
class LookUp {
  answer: Promise<readonly string[]> = Promise.resolve([])
  /** It has had its turn. */
  isAsked = false
  private readonly nobody = new AbortController()
  private waiting = 0

  /** Fires when nobody waits any more. */
  get signal(): AbortSignal {
    return this.nobody.signal
  }

  async wait(signal: AbortSignal): Promise<readonly string[]> {
    this.waiting++
    let leave = (): void => undefined
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(this.faultOf(signal.reason))
      signal.addEventListener('abort', leave)
      if (signal.aborted) leave()
    })
    try {
      return await Promise.race([this.answer, left])
    } finally {
      signal.removeEventListener('abort', leave)
      this.waiting--
      if (this.waiting === 0) this.nobody.abort(new NameFault('ECANCELLED'))
    }
  }

  private faultOf(reason: unknown): NameFault {
    const code = codeOf(reason)
    return new NameFault(code === 'ETIMEOUT' && !this.isAsked ? 'EBUSY' : code)
  }
}

export class Names {
  private readonly now: () => number
  private readonly newServers: () => NameServers
  private readonly turns = new FairTurns({ atOnce: MAX_AT_ONCE, ofOneKey: MAX_OF_ONE })
  /** Those that have had their turn. */
  private readonly running = new Map<string, LookUp>()
  private readonly kept = new Map<string, Kept>()
  /** Each serves one look-up at a time, so that it can be cancelled alone. */
  private readonly spare: NameServers[] = []

  constructor(
    now: () => number,
    newServers: () => NameServers = () => new Resolver({ timeout: TRY_MS, tries: TRIES }),
  ) {
    this.now = now
    this.newServers = newServers
  }

  readonly resolve: Resolve = async (name, { key, ms, waiting }) => {
    const kept = this.keptOf(name)
    if (kept) return kept
    const leaving = new AbortController()
    const gone = (): void => leaving.abort(new NameFault('ECANCELLED'))
    const timer = setTimeout(() => leaving.abort(new NameFault('ETIMEOUT')), ms)
    waiting.once('close', gone)
    if (waiting.destroyed) gone()
    try {
      return await this.lookUp(name, key).wait(leaving.signal)
    } finally {
      clearTimeout(timer)
      waiting.off('close', gone)
    }
  }

  private lookUp(name: string, key: string): LookUp {
    const running = this.running.get(name)
    if (running) return running
    const lookUp = new LookUp()
    lookUp.answer = this.take(lookUp, name, key)
    return lookUp
  }

  private async take(lookUp: LookUp, name: string, key: string): Promise<readonly string[]> {
    const { signal } = lookUp
    const end = await this.turns.take(key, signal)
    lookUp.isAsked = true
    try {
      // Somebody else may have asked while it waited: never is anybody's answer behind another client's line.
      const kept = this.keptOf(name)
      if (kept) return kept
      const running = this.running.get(name)
      if (!running) return await this.ask(lookUp, name)
      end()
      return await running.wait(signal)
    } finally {
      end()
    }
  }

  private async ask(lookUp: LookUp, name: string): Promise<readonly string[]> {
    const { signal } = lookUp
    const servers = this.spare.pop() ?? this.newServers()
    const leave = (): void => {
      this.running.delete(name)
      servers.cancel()
    }
    signal.addEventListener('abort', leave)
    this.running.set(name, lookUp)
    try {
      const found = await both(servers, `${name}.`)
      const addresses = found.slice(0, MAX_ADDRESSES).map(({ address }) => address)
      const ttl = Math.min(MAX_TTL_S, ...found.map(({ ttl }) => ttl))
      this.keep(name, { addresses, untilMs: this.now() + ttl * 1000 })
      return addresses
    } finally {
      signal.removeEventListener('abort', leave)
      if (this.running.get(name) === lookUp) this.running.delete(name)
      // The other family's answer may be awaited still.
      servers.cancel()
      if (this.spare.length < MAX_AT_ONCE) this.spare.push(servers)
    }
  }

  private keptOf(name: string): readonly string[] | undefined {
    const kept = this.kept.get(name)
    return kept && kept.untilMs > this.now() ? kept.addresses : undefined
  }

  private keep(name: string, kept: Kept): void {
    this.kept.delete(name)
    const [oldest] = this.kept.keys()
    if (this.kept.size >= MAX_KEPT && oldest !== undefined) this.kept.delete(oldest)
    this.kept.set(name, kept)
  }
}
