// The texts by which clients show that a proof is new (RFC 9449, section 9), and the proofs that were made with each. A text
// is good for one to two minutes, at the replica that gave it; what was seen of it is forgotten with it and never before,
// so that no proof is good twice. Where very many come, the next text comes sooner, and the former one goes sooner.

const PERIOD_MS = 60_000
/** Of one text; each has a short text of its own, some 100 bytes. */
const MAX_SEEN = 32_768
/** Of both texts: the former one grows, too, as long as it is good. */
const MAX_OF_BOTH = 2 * MAX_SEEN

export interface NoncesOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** One that nobody can foretell. */
  readonly newNonce: () => string
}

interface Generation {
  readonly nonce: string
  readonly bornMs: number
  readonly seen: Set<string>
}

export class Nonces {
  private readonly options: NoncesOptions
  private latest: Generation
  private former: Generation | undefined

  constructor(options: NoncesOptions) {
    this.options = options
    this.latest = this.begin()
  }

  /** The one to be told. */
  get current(): string {
    this.turn()
    return this.latest.nonce
  }

  /** What marks a proof as seen, for a text that is good now: false where it was before. Undefined for any other text. */
  memoryOf(nonce: string): ((proof: string) => boolean) | undefined {
    this.turn()
    const generation = [this.latest, this.former].find((one) => one?.nonce === nonce)
    return generation && ((proof) => this.mark(generation, proof))
  }

  private mark({ seen }: Generation, proof: string): boolean {
    if (seen.has(proof)) return false
    seen.add(proof)
    return true
  }

  private begin(): Generation {
    const { now, newNonce } = this.options
    return { nonce: newNonce(), bornMs: now(), seen: new Set() }
  }

  private turn(): void {
    this.renew()
    const { former, latest } = this
    if (former && former.seen.size + latest.seen.size >= MAX_OF_BOTH) this.former = undefined
  }

  private renew(): void {
    const ageMs = this.options.now() - this.latest.bornMs
    if (ageMs < PERIOD_MS && this.latest.seen.size < MAX_SEEN) return
    this.former = ageMs < 2 * PERIOD_MS ? this.latest : undefined
    this.latest = this.begin()
  }
}
