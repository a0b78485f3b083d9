// Keeps a replica's certificates: looks at the shared authorities again and again, does the step that is due, sees to it
// that API servers trust them, and signs itself a leaf where it needs one. In this order within one look, so that nothing
// is signed or trusted by what was read earlier. What fails is told, and tried again at the next look; the leaf that there
// is serves meanwhile.

import { fail, ok, type Result } from '../shared/result.ts'
import { bundleOf, nextStep, stepped, type Authorities, type Seen } from './authorities.ts'
import { HeardClock, type Clocks } from './heard-clock.ts'
import { createKeyPair, type KeyPair } from './keys.ts'
import { createLeaf, isValidAt, renewalAt, whyRenew, type Held } from './leaf-source.ts'
import type { AuthorityStore } from './stored-authority.ts'
import { createAuthority, type Authority, type Leaf } from './x509.ts'

/** How long things last. */
export interface Terms {
  readonly authorityMs: number
  readonly leafMs: number
  /** For how long a caBundle holds an authority before it signs: by then every API server has read it. */
  readonly trustMs: number
  /** Between two looks. */
  readonly everyMs: number
}

const MINUTE_MS = 60_000
/** Beyond the life of a leaf that was signed by an authority as it was replaced: an hour, or of a short life a quarter. */
const keepMsOf = ({ leafMs }: Terms): number => leafMs + Math.min(60 * MINUTE_MS, leafMs / 4)
/** How often the clocks are compared: a machine that has slept looks at once. */
const CLOCK_MS = 5000

/** Terms by the lives of both; the waits get shorter where those are short. */
export const termsOf = (authorityMs: number, leafMs: number): Terms => {
  const trustMs = Math.min(5 * MINUTE_MS, leafMs / 20)
  return { authorityMs, leafMs, trustMs, everyMs: Math.min(MINUTE_MS, trustMs / 4) }
}

export interface KeeperOptions {
  readonly store: AuthorityStore
  /** Has every caBundle hold that text and no other; true where one held another until now. */
  readonly trust: (bundle: string) => Promise<boolean>
  readonly names: readonly [string, ...string[]]
  readonly terms: Terms
  readonly clocks: Clocks
  /** In [0, 1). */
  readonly random: () => number
  readonly randomBytes: (size: number) => Uint8Array
  readonly createKeys?: () => Promise<KeyPair>
  /** Calls back after a delay; returns how to cancel that. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly on: KeeperEvents
}

export interface KeeperEvents {
  /** Another leaf serves from now on. */
  readonly leaf: (leaf: Leaf, why: string) => void
  /** What is stored now, at each look. */
  readonly looked: (authorities: Authorities) => void
  /** A step was done here. */
  readonly stepped: (kind: string) => void
  readonly trusted: () => void
  readonly failed: (error: unknown) => void
}

/** At one look, those that another replica was ahead of included: each of these has done what was due then. */
const MAX_WRITES = 8

export class Keeper {
  private readonly options: KeeperOptions
  private readonly clock: HeardClock
  private held: Held
  private known: string | undefined
  /** Since when, by the steady clock, every caBundle holds a certificate. */
  private since: ReadonlyMap<string, number> = new Map()
  private lookedAt = Number.NEGATIVE_INFINITY
  private cancel = (): void => undefined
  private isClosed = false

  constructor(options: KeeperOptions) {
    this.options = options
    this.clock = new HeardClock(options.clocks)
    this.held = { leaf: undefined, renewAt: new Date(0), lifetimeMs: options.terms.leafMs }
  }

  /** The leaf that serves; undefined before the first look. */
  get leaf(): Leaf | undefined {
    return this.held.leaf
  }

  /** Whether API servers take that leaf now, as far as its time goes. */
  isValid(): boolean {
    return this.held.leaf !== undefined && isValidAt(this.held.leaf, this.clock.now())
  }

  /** Looks once: the error says what keeps the stored authority from being used. Rejects where the cluster does not answer. */
  async look(): Promise<Result<Leaf, string>> {
    this.lookedAt = this.options.clocks.steadyMs()
    const current = await this.currentAuthority()
    return current.ok ? ok(await this.currentLeaf(current.value)) : current
  }

  /** Looks again and again, until closed. */
  follow(): void {
    const { schedule, terms } = this.options
    this.cancel = schedule(
      () => void this.wake().then(() => this.isClosed || this.follow()),
      Math.min(CLOCK_MS, terms.everyMs),
    )
  }

  close(): void {
    this.isClosed = true
    this.cancel()
  }

  private async wake(): Promise<void> {
    const { clocks, terms, on } = this.options
    const isTime = clocks.steadyMs() - this.lookedAt >= terms.everyMs
    if (!this.clock.hasJumped() && !isTime) return
    try {
      const looked = await this.look()
      if (!looked.ok) on.failed(new Error(looked.error))
    } catch (error) {
      on.failed(error)
    }
  }

  private seen(): Seen {
    const { terms } = this.options
    return {
      now: this.clock.now(),
      // What it has signed for a leaf that is over needs nobody's trust.
      known: this.isValid() ? this.known : undefined,
      isTrusted: (pem) => this.isTrusted(pem),
      keepMs: keepMsOf(terms),
    }
  }

  private isTrusted(pem: string): boolean {
    const { clocks, terms } = this.options
    const since = this.since.get(pem.trim())
    return since !== undefined && clocks.steadyMs() - since >= terms.trustMs
  }

  /** Does what is due of the shared authorities; the one that signs. */
  private async currentAuthority(): Promise<Result<Authority, string>> {
    const { store, on } = this.options
    for (let writes = 0; writes < MAX_WRITES; writes += 1) {
      const { authorities, version, date } = await store.read()
      this.clock.hear(date)
      const seen = this.seen()
      const step = nextStep(authorities, seen)
      if (step.kind === 'unusable') return fail(unusable(step.why))
      if (step.kind === 'rest') return this.settle(authorities)
      const wanted = await stepped(authorities, step, seen, () => this.makeAuthority())
      if ((await store.write(wanted, version)) === 'written') on.stepped(step.kind)
    }
    return fail(`it was written ${MAX_WRITES} times at once; somebody else keeps writing it`)
  }

  /** What is stored is as it should be: API servers are to trust all of it. */
  private async settle(authorities: Authorities): Promise<Result<Authority, string>> {
    const { trust, clocks, on } = this.options
    const { current } = authorities
    if (!current) return fail(unusable('there is none'))
    const bundle = bundleOf(authorities)
    const isNew = await trust(bundle)
    if (isNew) on.trusted()
    const now = clocks.steadyMs()
    const pems = bundle.split(/(?<=-----END CERTIFICATE-----)\n/).map((pem) => pem.trim())
    this.since = new Map(pems.map((pem) => [pem, (isNew ? undefined : this.since.get(pem)) ?? now]))
    this.known = current.certificatePem
    on.looked(authorities)
    return ok(current)
  }

  private async makeAuthority(): Promise<Authority> {
    const { createKeys = createKeyPair, randomBytes, terms } = this.options
    const keys = await createKeys()
    const now = this.clock.now()
    return createAuthority({ keys, now, serial: randomBytes(16), lifetimeMs: terms.authorityMs })
  }

  private async currentLeaf(authority: Authority): Promise<Leaf> {
    const { names, terms, randomBytes, random, createKeys, on } = this.options
    const authorityPem = authority.certificatePem
    const signing = { now: this.clock.now(), authorityPem, isTrusted: this.isTrusted(authorityPem) }
    const why = whyRenew(this.held, signing)
    if (this.held.leaf && why === undefined) return this.held.leaf
    const leaf = await createLeaf({
      authority,
      names,
      lifetimeMs: terms.leafMs,
      now: () => this.clock.now(),
      randomBytes,
      ...(createKeys ? { createKeys } : {}),
    })
    this.held = { ...this.held, leaf, renewAt: renewalAt(leaf, random()) }
    if (!this.isClosed) on.leaf(leaf, why ?? '')
    return leaf
  }
}

const unusable = (why: string): string =>
  `the stored CA cannot be used: ${why}; empty the Secret's data and a new one is made`
