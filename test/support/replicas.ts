// Replicas of the webhook that keep their certificates by one Secret, in a time that only the test moves: each with a clock
// of its own that may be wrong, asleep or set; and an API server that knows a caBundle some time after it was written.
// Certificates are real ones, of a few keys that all share.

import { createKeyPair, type KeyPair } from '../../certs/keys.ts'
import { Keeper, type Terms } from '../../certs/keeper.ts'
import { isValidAt } from '../../certs/leaf-source.ts'
import {
  authoritiesIn,
  secretChange,
  type AuthorityStore,
  type SecretChange,
} from '../../certs/stored-authority.ts'

const KEYS = 6
/** So long an API server may go by a caBundle that has been changed. */
const LAG_MS = 40_000
/** After that long whoever has woken has looked, and API servers know what it has written. */
const SETTLED_MS = 120_000

interface State {
  readonly name: string
  /** What it has said: why a leaf was signed, which steps it did, what failed. */
  readonly events: string[]
  /** By how much its own clock is wrong. */
  wrongMs: number
  isAsleep: boolean
  /** Time in which it was awake. */
  steadyMs: number
  /** When it has woken up last, by that. */
  wokeAt: number
}

export type Replica = State & { readonly keeper: Keeper }

type Timer = { readonly callback: () => void; readonly atMs: number }

export class Replicas {
  readonly terms: Terms
  nowMs = Date.parse('2026-11-30T00:00:00Z')
  /** What the API server says that it is: undefined where it says nothing. */
  saysMs: (() => number | undefined) | undefined
  readonly replicas: Replica[] = []
  secret: Record<string, string | undefined> = {}
  version = 1
  /** Somebody writes the Secret all the time. */
  isContended = false
  private readonly bundles: { readonly atMs: number; readonly text: string }[] = []
  private readonly timers = new Map<State, Timer | undefined>()
  private readonly rearmed = new Map<State, () => void>()
  private readonly keys: readonly KeyPair[]
  private used = 0

  private constructor(terms: Terms, keys: readonly KeyPair[]) {
    this.terms = terms
    this.keys = keys
  }

  static async create(terms: Terms): Promise<Replicas> {
    return new Replicas(terms, await Promise.all(Array.from({ length: KEYS }, createKeyPair)))
  }

  /** Another time, and nothing there yet; keys are used again. */
  anew(): Replicas {
    return new Replicas(this.terms, this.keys)
  }

  put(change: SecretChange): void {
    const texts = Object.entries({ ...this.secret, ...change })
    this.secret = Object.fromEntries(texts.map(([key, text]) => [key, text ?? undefined]))
    this.version += 1
  }

  get bundle(): string {
    return this.bundles.at(-1)?.text ?? ''
  }

  set bundle(text: string) {
    this.bundles.push({ atMs: this.nowMs, text })
  }

  /** What the slowest API server goes by. */
  knownBundle(): string {
    return this.bundles.findLast(({ atMs }) => atMs <= this.nowMs - LAG_MS)?.text ?? this.bundle
  }

  private readonly store: AuthorityStore = {
    read: () =>
      Promise.resolve({
        authorities: authoritiesIn(this.secret),
        version: String(this.version),
        date: this.date(),
      }),
    write: (authorities, version) => {
      if (this.isContended || version !== String(this.version)) return Promise.resolve('conflict')
      this.put(secretChange(authorities))
      return Promise.resolve('written')
    },
  }

  private date(): Date | undefined {
    const ms = this.saysMs ? this.saysMs() : this.nowMs
    return ms === undefined ? undefined : new Date(ms)
  }

  /** Starts one; where what is stored cannot be used, its error is among its events. */
  async start(name: string): Promise<Replica> {
    const events: string[] = []
    const state: State = {
      name,
      events,
      wrongMs: 0,
      isAsleep: false,
      steadyMs: 0,
      wokeAt: Number.NEGATIVE_INFINITY,
    }
    const clocks = {
      wallMs: () => this.nowMs + state.wrongMs,
      steadyMs: () => state.steadyMs,
    }
    const keeper = new Keeper({
      store: this.store,
      trust: (text) => {
        if (text === this.bundle) return Promise.resolve(false)
        this.bundle = text
        return Promise.resolve(true)
      },
      names: ['localhost'],
      terms: this.terms,
      clocks,
      random: () => 0.5,
      randomBytes: (size) => new Uint8Array(size).fill((this.used += 1) % 256),
      createKeys: () => Promise.resolve(this.key()),
      schedule: (callback, delayMs) => {
        this.timers.set(state, { callback, atMs: state.steadyMs + delayMs })
        this.rearmed.get(state)?.()
        return () => this.timers.set(state, undefined)
      },
      on: {
        leaf: (_leaf, why) => events.push(`leaf: ${why}`),
        looked: () => undefined,
        stepped: (kind) => events.push(kind),
        trusted: () => undefined,
        failed: (error) => events.push(`failed: ${String(error)}`),
      },
    })
    const looked = await keeper.look()
    if (!looked.ok) events.push(`failed: ${looked.error}`)
    // It was the first to come back, to an authority that had ended.
    if (events.some((event) => event === 'begin' || event === 'promote')) state.wokeAt = 0
    keeper.follow()
    const replica = Object.assign(state, { keeper })
    this.replicas.push(replica)
    return replica
  }

  stop(replica: Replica): void {
    replica.keeper.close()
    this.replicas.splice(this.replicas.indexOf(replica), 1)
  }

  private key(): KeyPair {
    const key = this.keys[(this.used += 1) % KEYS]
    if (!key) throw new Error('there are no keys')
    return key
  }

  sleep(replica: Replica): void {
    replica.isAsleep = true
  }

  wake(replica: Replica): void {
    replica.isAsleep = false
    replica.wokeAt = replica.steadyMs
  }

  /** Lets time pass for everybody; what is due is done, each to its end. */
  async pass(ms: number): Promise<void> {
    this.nowMs += ms
    for (const replica of this.replicas.filter(({ isAsleep }) => !isAsleep)) {
      replica.steadyMs += ms
      const timer = this.timers.get(replica)
      if (!timer || timer.atMs > replica.steadyMs) continue
      const done = new Promise<void>((resolve) => this.rearmed.set(replica, resolve))
      timer.callback()
      await done
    }
  }

  /** Why a call to a replica would fail now; undefined where it would not. */
  fault({ name, keeper: { leaf } }: Replica): string | undefined {
    const now = new Date(this.nowMs)
    if (!leaf) return `${name} has no certificate`
    if (!isValidAt(leaf, now)) {
      return `${name}: ${leaf.notBefore.toISOString()} to ${leaf.notAfter.toISOString()}, at ${now.toISOString()}`
    }
    return this.knownBundle().includes(leaf.authorityPem.trim())
      ? undefined
      : `${name}: the authority is not trusted at ${now.toISOString()}`
  }

  /** All that would fail now, of replicas that have been awake for a while. */
  faults(): readonly string[] {
    return this.replicas
      .filter(({ isAsleep, steadyMs, wokeAt }) => !isAsleep && steadyMs - wokeAt > SETTLED_MS)
      .flatMap((replica) => this.fault(replica) ?? [])
  }
}
