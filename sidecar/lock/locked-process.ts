// One server process under a tool lock. Its lists pass without what is new or differs; a call waits until the process has
// been asked what it lists itself, however it came to it: a client that never lists opens nothing. What is known holds for
// a minute, until the server says that a list has changed, until a list that passes shows something else, or until another
// lock holds. Fails closed: what cannot be known is refused.

import type { Lock, Locked } from '../../shared/lock/lock.ts'
import { LIST_METHODS, type LockedKind } from '../../shared/lock/kinds.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Caller } from '../conversation/call.ts'
import type { Channel } from '../conversation/channel.ts'
import { askPages } from '../conversation/pages.ts'
import type { AskTerms, Checked, Reading, VettedPart } from '../conversation/vetting.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Notification, Request } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import type { FoundAction } from './findings.ts'
import { needsOf, type Need } from './needs.ts'
import { judge, listedBy, pageIn, without, type Page, type Verdicts } from './page.ts'
import { refusal, unclear, unusable } from './refusal.ts'
import type { ToolLock } from './tool-lock.ts'

interface Known {
  readonly lock: Lock
  readonly changes: number
  readonly untilMs: number
  readonly verdicts: Verdicts
}

type KnownKinds = Map<LockedKind, Known>

const NOTHING: Locked = new Map()

const KEPT_MS = 60_000
/** A list that changes while it is asked for is asked for again. */
const TRIES = 3

export class LockedProcess implements VettedPart {
  private readonly toolLock: ToolLock
  private readonly channel: Channel
  private readonly beside: () => readonly VettedPart[]
  private readonly known: KnownKinds = new Map()
  private readonly asking = new Map<LockedKind, Promise<Fault | undefined>>()
  private changes = 0

  constructor(
    toolLock: ToolLock,
    channel: Channel,
    beside: () => readonly VettedPart[] = () => [],
  ) {
    this.toolLock = toolLock
    this.channel = channel
    this.beside = beside
  }

  /** The server says, or shows, that it lists something else now. */
  changed(): void {
    this.changes += 1
  }

  reading(method: string): Reading | undefined {
    const kind = listedBy(method)
    return kind && this.toolLock.current.kinds.has(kind) ? this.read(kind, this.known) : undefined
  }

  /** Whether a notification goes no further: none that MCP knows uses what is locked. */
  drops(message: Notification): boolean {
    const needs = needsOf(this.toolLock.current, message)
    return !this.toolLock.current.isReport && needs?.length !== 0
  }

  check(request: Request, terms: AskTerms = {}): Checked {
    const lock = this.toolLock.current
    const needs = needsOf(lock, request)
    if (!needs) return lock.isReport ? undefined : unclear()
    if (needs.length === 0) return undefined
    if (!lock.isReport) return this.decide(lock, needs, terms)
    // What is only told keeps nobody waiting.
    const found = this.decide(lock, needs, terms)
    if (found instanceof Promise) void found
    return undefined
  }

  /** The caller, who hears of nothing that is not as it was locked. */
  hears(caller: Caller, method: string): Caller {
    return {
      notice: (text, message) => {
        if (method === SUBSCRIBE && message.method.endsWith('/list_changed')) this.changed()
        return caller.notice(text, message)
      },
      fault: (reason) => caller.fault(reason),
      answer: (text, response) => {
        const seen = this.seen(method, text)
        if (seen.ok) caller.answer(seen.value, response)
        else caller.fault(seen.error)
      },
    }
  }

  private seen(method: string, answer: string): Result<string, Fault> {
    const kind = listedBy(method)
    const lock = this.toolLock.current
    if (kind === undefined || !lock.kinds.has(kind)) return this.toolLock.first(method, answer)
    const read = pageIn(kind, answer)
    if (!read.ok) return fail(unusable(method, read.error))
    const page = read.value
    if (!page) return ok(answer)
    const wrong = this.wrongIn(lock, page)
    return ok(lock.isReport ? answer : without(answer, page, (name) => wrong.has(name)))
  }

  /** The names in a page that are not as they were locked, here or in what is known. */
  private wrongIn(lock: Lock, page: Page): ReadonlySet<string> {
    const { kind } = page
    const before = this.fresh(kind, lock, this.known)?.verdicts
    const action = actionOf(lock, 'hidden')
    const wrong = new Set<string>()
    for (const [name, now] of judge(lock.kinds.get(kind) ?? NOTHING, page)) {
      const then = before?.get(name)
      const why = now ?? then
      if (why === undefined) continue
      wrong.add(name)
      this.toolLock.findings.add({ kind, name, why, action })
      // What is known of it is of another moment.
      if (before?.has(name) === true && then === undefined) this.changed()
    }
    return wrong
  }

  private fresh(kind: LockedKind, lock: Lock, kinds: KnownKinds): Known | undefined {
    const known = kinds.get(kind)
    const isFresh =
      known?.lock === lock && known.changes === this.changes && this.toolLock.now() < known.untilMs
    return isFresh ? known : undefined
  }

  private decide(lock: Lock, needs: readonly Need[], terms: AskTerms): Checked {
    const missing = needs.find(({ names }) => names.length === 0)
    if (missing) return this.refuse(lock, missing, 'is not in it')
    const kinds = new Set(needs.map(({ kind }) => kind))
    // Whoever brings headers of its own is answered by what the server tells that caller, each time.
    const known: KnownKinds = terms.headers ? new Map() : this.known
    const isKnown = [...kinds].every((kind) => this.fresh(kind, lock, known))
    if (isKnown) return this.settle(lock, needs, known)
    return this.learn([...kinds], known, terms).then((failed) =>
      failed ? this.unknown(lock, failed) : this.settle(lock, needs, known),
    )
  }

  private unknown({ isReport }: Lock, failed: Fault): Fault | undefined {
    return isReport ? undefined : failed
  }

  private settle(lock: Lock, needs: readonly Need[], known: KnownKinds): Fault | undefined {
    for (const need of needs) {
      const verdicts = known.get(need.kind)?.verdicts
      const wrong = need.names.map((name) =>
        verdicts?.has(name) ? verdicts.get(name) : 'is not listed by the server now',
      )
      if (!wrong.includes(undefined)) return this.refuse(lock, need, wrong[0] ?? '')
    }
    return undefined
  }

  private refuse(lock: Lock, { what, kind, names, asked }: Need, why: string): Fault | undefined {
    const action = actionOf(lock, 'refused')
    const isMadeUp = names.length === 0
    this.toolLock.findings.add({ kind, name: names[0] ?? asked, why, action, isMadeUp })
    return lock.isReport ? undefined : refusal(`this ${what} ${why}`)
  }

  /** Asks until all is known of one moment; the fault is why it cannot be. */
  private async learn(
    kinds: readonly LockedKind[],
    known: KnownKinds,
    terms: AskTerms,
  ): Promise<Fault | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const lock = this.toolLock.current
      const left = kinds.filter((kind) => !this.fresh(kind, lock, known))
      if (left.length === 0) return undefined
      const faults = await Promise.all(left.map((kind) => this.askFor(kind, known, terms)))
      const failed = faults.find((reason) => reason !== undefined)
      if (failed) return failed
    }
    const lock = this.toolLock.current
    return kinds.every((kind) => this.fresh(kind, lock, known))
      ? undefined
      : refusal('what the server lists changes while it is asked for')
  }

  private askFor(kind: LockedKind, known: KnownKinds, terms: AskTerms): Promise<Fault | undefined> {
    if (terms.headers) return this.ask(kind, known, terms)
    const running =
      this.asking.get(kind) ?? this.ask(kind, known, terms).finally(() => this.asking.delete(kind))
    this.asking.set(kind, running)
    return running
  }

  private ask(kind: LockedKind, known: KnownKinds, terms: AskTerms): Promise<Fault | undefined> {
    return askPages({
      ...terms,
      channel: this.channel,
      method: LIST_METHODS[kind],
      now: this.toolLock.now,
      tooLong: refusal,
      reading: this.read(kind, known),
      beside: this.beside,
    })
  }

  /** What a list says of a kind, to be known once all of it was read. */
  private read(kind: LockedKind, known: KnownKinds): Reading {
    const [lock, { changes }, { now }] = [this.toolLock.current, this, this.toolLock]
    const method = LIST_METHODS[kind]
    const verdicts: Verdicts = new Map()
    const locked = lock.kinds.get(kind) ?? NOTHING
    return {
      take: (answer) => {
        const page = pageIn(kind, answer)
        if (!page.ok) return fail(unusable(method, page.error))
        if (!page.value) return fail(refusal(`the server answers ${method} with no list now`))
        judge(locked, page.value, verdicts)
        return ok(page.value.cursor)
      },
      done: () => {
        const kept = inLock(verdicts, locked)
        known.set(kind, { lock, changes, untilMs: now() + KEPT_MS, verdicts: kept })
      },
    }
  }
}

const actionOf = ({ isReport }: Lock, otherwise: FoundAction): FoundAction =>
  isReport ? 'reported' : otherwise

/** Of what else the server lists nothing has to be kept: it is not in the lock. */
const inLock = (verdicts: Verdicts, locked: ReadonlyMap<string, unknown>): Verdicts =>
  new Map([...verdicts].filter(([name]) => locked.has(name)))
