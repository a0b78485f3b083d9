// Names to addresses: absolute ones, asked of the name servers of resolv.conf themselves. No search list, no hosts file (in a
// pod both can be written by whoever wrote the pod), no thread that a slow server could hold. Bounded in names and in time.

import { Resolver } from 'node:dns/promises'
import { codeOf } from '../../../shared/error-code.ts'

/** Rejects with a code (`ENOTFOUND`) where a name leads nowhere. */
export type Resolve = (name: string) => Promise<readonly string[]>

/** Of one try; there are two, of each name server. */
const TRY_MS = 2000
const TRIES = 2
/** Names that are looked up at once. */
const MAX_AT_ONCE = 64
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

export class Names {
  private readonly servers: NameServers
  private readonly now: () => number
  private readonly running = new Map<string, Promise<readonly string[]>>()
  private readonly kept = new Map<string, Kept>()

  constructor(
    now: () => number,
    servers: NameServers = new Resolver({ timeout: TRY_MS, tries: TRIES }),
  ) {
    this.now = now
    this.servers = servers
  }

  readonly resolve: Resolve = async (name) => {
    const kept = this.kept.get(name)
    if (kept && kept.untilMs > this.now()) return kept.addresses
    const running = this.running.get(name)
    if (running) return running
    if (this.running.size >= MAX_AT_ONCE) throw new NameFault('EBUSY')
    const found = this.ask(name).finally(() => this.running.delete(name))
    this.running.set(name, found)
    return found
  }

  private async ask(name: string): Promise<readonly string[]> {
    const found = await both(this.servers, `${name}.`)
    const addresses = found.slice(0, MAX_ADDRESSES).map(({ address }) => address)
    const ttl = Math.min(MAX_TTL_S, ...found.map(({ ttl }) => ttl))
    this.keep(name, { addresses, untilMs: this.now() + ttl * 1000 })
    return addresses
  }

  private keep(name: string, kept: Kept): void {
    this.kept.delete(name)
    const [oldest] = this.kept.keys()
    if (this.kept.size >= MAX_KEPT && oldest !== undefined) this.kept.delete(oldest)
    this.kept.set(name, kept)
  }
}
