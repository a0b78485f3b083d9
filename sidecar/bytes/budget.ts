// How many bytes this process may hold for others, who holds how many, and who has to wait. Pure accounting: a holder
// stops and goes on by itself, and lets go by itself when it is told to.
//
// The whole is in four parts. Kept events have one: they are the only ones that nobody waits for. What is small has one
// that nothing large ever takes. One is for all that is large together. The last is lent to one large holder at a
// time, so that holders which each wait for more never wait for each other.

/** Bytes that are held, by what they are. */
export const KINDS = [
  'bodies',
  'lines',
  'answers',
  'batches',
  'inputs',
  'calls',
  'events',
  'records',
] as const
export type Kind = (typeof KINDS)[number]

/** What has a share of its own: kept events a part; calls that wait for their turn, and audit records, half of the part of what is small. */
const SHARES: Readonly<Partial<Record<Kind, number>>> = {
  events: 1 / 4,
  calls: 1 / 8,
  records: 1 / 8,
}

/** Holders to here are small: a call of 64 KiB, whatever stands around it. */
export const SMALL_BYTES = 128 * 1024
/** What comes at most before a reader can be held up. */
const PIECE_BYTES = 64 * 1024
/** Who waits has so long to wait for those who get on; then the largest of the others is ended. */
const PATIENCE_MS = 1000
/** Who has moved nothing for so long does not get on. */
const STALLED_MS = 5000
/** The longest wait of a holder that can be refused. */
const MAX_WAIT_MS = 10_000
/** Where somebody was refused, so much of a part is freed of those who do not get on. */
const FREED_SHARE = 1 / 4

export interface Holder {
  /** What it has waited for is its own: it goes on. */
  granted(): void
  /** It keeps others waiting, or has waited too long: it lets go. */
  ended(): void
  /** Whether it may be ended for having waited too long; who is not holds up its peer instead. */
  readonly isRefusable: boolean
}

/** How long one message may be, be it a client's or the server's. */
export interface MessageSizes {
  readonly requestBytes: number
  readonly responseBytes: number
}

const DEFAULT_SIZES: MessageSizes = {
  requestBytes: 4 * 1024 * 1024,
  responseBytes: 16 * 1024 * 1024,
}

export class Budget {
  readonly bytes: number
  readonly sizes: MessageSizes
  /** How often a holder was ended, by kind. */
  readonly ends: Record<Kind, number> = zeros()
  private readonly byKind: Record<Kind, number> = zeros()
  private readonly part: number
  private readonly holders = new Set<Lease>()
  private waiting: Lease[] = []
  private held = 0
  private large = 0
  private favourite: Lease | undefined
  private nowMs = 0
  /** When somebody was last refused what cannot wait. */
  private refusedMs = -Infinity
  private isServing = false
  private readonly turns: (() => void)[] = []
  private readonly onFreed: (bytes: number) => void

  /** `onFreed` hears what large holders have read and let go: both is garbage before long. */
  constructor(
    bytes: number,
    onFreed: (bytes: number) => void = () => undefined,
    sizes: MessageSizes = DEFAULT_SIZES,
  ) {
    this.bytes = bytes
    this.sizes = sizes
    this.part = bytes / 4
    this.onFreed = onFreed
  }

  /** Bytes held now, of one kind. */
  of(kind: Kind): number {
    return this.byKind[kind]
  }

  /** So many bytes of one kind at most, by its share. */
  mostOf(kind: Kind): number {
    return (SHARES[kind] ?? 1) * this.bytes
  }

  /** Holders that wait now. */
  get waits(): number {
    return this.waiting.length
  }

  /** A place for one holder's bytes; without a holder it never waits and is never ended. */
  lease(kind: Kind, holder?: Holder): Lease {
    return new Lease(this, kind, holder)
  }

  /** Ends who keeps others waiting without getting on, the largest first, and who has waited too long. */
  sweep(nowMs: number): void {
    this.nowMs = nowMs
    if (nowMs - this.refusedMs < PATIENCE_MS) this.makeRoom()
    const [longest] = this.waiting
    if (longest && nowMs - longest.sinceMs >= PATIENCE_MS) this.endFor(longest)
  }

  /** For leases: so many bytes, or its turn to wait. */
  ask(lease: Lease, bytes: number): boolean {
    if (this.fits(lease, bytes)) {
      this.set(lease, bytes)
      return true
    }
    // What is small has come already, and is counted whether it fits or not.
    if (bytes <= SMALL_BYTES) this.set(lease, bytes)
    if (!lease.isWaiting) {
      lease.touch()
      this.waiting.push(lease)
    }
    lease.wanted = bytes
    return false
  }

  /** For leases: what came from who was admitted already, as long as there is any room. */
  keep(lease: Lease, bytes: number): boolean {
    // Who is where it was has not got on.
    if (bytes === lease.bytes) return true
    if (bytes > lease.bytes && !this.hasRoomFor(lease, bytes)) {
      // Of what has a share of its own nobody else's would make room.
      if (SHARES[lease.kind] === undefined) this.refusedMs = this.nowMs
      return false
    }
    this.set(lease, bytes)
    return true
  }

  /** For leases: nothing is held, nothing is waited for. */
  release(lease: Lease): void {
    if (lease.isWaiting) this.waiting = this.waiting.filter((other) => other !== lease)
    lease.wanted = 0
    const { bytes } = lease
    if (bytes === 0) return
    this.set(lease, 0)
    if (bytes > SMALL_BYTES) this.onFreed(bytes)
  }

  /** Does the work on something large, one in a turn of the event loop: what is small is served in between. */
  inTurn(work: () => void): void {
    this.turns.push(work)
    if (this.turns.length === 1) setImmediate(this.nextTurn)
  }

  /** So much has been read of what is large. */
  passed(bytes: number): void {
    this.onFreed(bytes)
  }

  get clockMs(): number {
    return this.nowMs
  }

  private readonly nextTurn = (): void => {
    this.turns[0]?.()
    this.turns.shift()
    if (this.turns.length > 0) setImmediate(this.nextTurn)
  }

  /** Those who can be ended and do not get on, the largest first. */
  private stalled(): readonly Lease[] {
    const isStalled = ({ holder, isWaiting, sinceMs }: Lease): boolean =>
      holder !== undefined && !isWaiting && this.nowMs - sinceMs >= STALLED_MS
    return [...this.holders].filter(isStalled).toSorted((one, other) => other.bytes - one.bytes)
  }

  /** For those who cannot wait: the next of them is to find room. */
  private makeRoom(): void {
    let freed = 0
    for (const lease of this.stalled()) {
      if (freed >= FREED_SHARE * this.part) return
      freed += lease.bytes
      this.end(lease)
    }
  }

  private endFor({ wanted }: Lease): void {
    const [victim] = this.stalled()
    // What is small would not make room for what is large.
    if (victim && (victim.bytes > SMALL_BYTES || wanted <= SMALL_BYTES)) this.end(victim)
    for (const lease of this.waiting.slice()) {
      if (lease.holder?.isRefusable && this.nowMs - lease.sinceMs >= MAX_WAIT_MS) this.end(lease)
    }
  }

  /** What is large together, besides one. */
  private othersLarge({ bytes }: Lease): number {
    return this.large - (bytes > SMALL_BYTES ? bytes : 0)
  }

  /** For what came from who was admitted already: the part of what is small is not for what is large. */
  private hasRoomFor(lease: Lease, bytes: number): boolean {
    if (this.held - lease.bytes + bytes > this.bytes) return false
    if (SHARES[lease.kind]) {
      return this.byKind[lease.kind] - lease.bytes + bytes <= this.mostOf(lease.kind)
    }
    const others = this.othersLarge(lease)
    return bytes <= SMALL_BYTES || others === 0 || others + bytes <= 2 * this.part
  }

  private fits(lease: Lease, bytes: number): boolean {
    const isWithin = this.held - lease.bytes + bytes <= this.bytes
    if (bytes <= SMALL_BYTES) return isWithin
    const others = this.othersLarge(lease)
    if (isWithin && others + bytes <= this.part) return true
    if (others > this.part || (this.favourite !== undefined && this.favourite !== lease))
      return false
    this.favourite = lease
    return true
  }

  private set(lease: Lease, bytes: number): void {
    const before = lease.bytes
    lease.bytes = bytes
    lease.sinceMs = this.nowMs
    this.held += bytes - before
    this.byKind[lease.kind] += bytes - before
    // What has a share of its own takes nobody else's, however long it is.
    if (SHARES[lease.kind] === undefined) {
      if (before > SMALL_BYTES) this.large -= before
      if (bytes > SMALL_BYTES) this.large += bytes
      if (before === 0) this.holders.add(lease)
      else if (bytes === 0) this.holders.delete(lease)
    }
    // It was lent; where there is room without it, it is there for the next.
    if (this.large <= this.part) this.favourite = undefined
    if (bytes < before && this.waiting.length > 0) this.serveSoon()
  }

  /** Not at once: what is let go may be about to go on as something else. */
  private serveSoon(): void {
    if (this.isServing) return
    this.isServing = true
    setImmediate(() => {
      this.isServing = false
      this.serve()
    })
  }

  private serve(): void {
    const waiting = this.waiting
    this.waiting = []
    // Behind a large one that has to wait no large one goes on, lest the largest wait for ever.
    let isLargeHeld = false
    const granted: Lease[] = []
    for (const lease of waiting) {
      const isLarge = lease.wanted > SMALL_BYTES
      if (!(isLarge && isLargeHeld) && this.fits(lease, lease.wanted)) {
        this.set(lease, lease.wanted)
        lease.wanted = 0
        granted.push(lease)
      } else {
        isLargeHeld ||= isLarge
        this.waiting.push(lease)
      }
    }
    for (const lease of granted) lease.holder?.granted()
  }

  private end(lease: Lease): void {
    this.ends[lease.kind]++
    lease.holder?.ended()
    lease.release()
  }
}

const zeros = (): Record<Kind, number> => ({
  bodies: 0,
  lines: 0,
  answers: 0,
  batches: 0,
  inputs: 0,
  calls: 0,
  events: 0,
  records: 0,
})

/** What one holder holds. */
export class Lease {
  readonly kind: Kind
  readonly holder: Holder | undefined
  bytes = 0
  /** What it waits for; 0 where it does not. */
  wanted = 0
  /** When it last got on, or began to wait. */
  sinceMs: number
  private readonly budget: Budget

  constructor(budget: Budget, kind: Kind, holder: Holder | undefined) {
    this.budget = budget
    this.kind = kind
    this.holder = holder
    this.sinceMs = budget.clockMs
  }

  get isWaiting(): boolean {
    return this.wanted > 0
  }

  /** So many bytes all of its kind may hold together. */
  get mostBytes(): number {
    return this.budget.mostOf(this.kind)
  }

  /** May it hold so many bytes altogether? False: it reads no more until it is granted. */
  ask(bytes: number): boolean {
    if (bytes > SMALL_BYTES && bytes <= this.bytes) {
      this.touch()
      return true
    }
    return this.budget.ask(this, bytes)
  }

  /**
   * A text of so many bytes has come; may a next piece of it? Beyond what is small room is asked for in steps that
   * double, up to `most`, before it is filled.
   */
  reads(bytes: number, most: number): boolean {
    if (this.isWaiting) return false
    if (bytes <= SMALL_BYTES && this.bytes <= SMALL_BYTES) return this.ask(bytes)
    // Each piece leaves garbage of its own size behind.
    if (bytes > SMALL_BYTES) this.budget.passed(PIECE_BYTES)
    const room = Math.min(bytes + PIECE_BYTES, most)
    return this.ask(
      room <= this.bytes ? this.bytes : Math.min(Math.max(room, 2 * this.bytes), most),
    )
  }

  /** It has so many bytes altogether, which somebody held before it. False: there is no room, and nothing changes. */
  keep(bytes: number): boolean {
    return this.budget.keep(this, bytes)
  }

  /** Does work on what is large, or very many, in a turn of its own. */
  inTurn(work: () => void): void {
    this.budget.inTurn(work)
  }

  /** It gets on. */
  touch(): void {
    this.sinceMs = this.budget.clockMs
  }

  release(): void {
    if (this.bytes > 0 || this.wanted > 0) this.budget.release(this)
  }
}
