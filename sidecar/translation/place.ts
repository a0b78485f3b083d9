// One principal's legacy processes, and who waits for one. A request gets one that has nothing in flight, the oldest first:
// a server that is fast enough has one process, and what it remembers is there for the next call. Others are started
// only while requests wait, few, and not where the server has shown that two of it cannot be.

import { PREFIX } from '../../shared/annotations.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Budget } from '../bytes/budget.ts'
import { START_FAULTS } from '../conversation/call-faults.ts'
import type { SessionWatch } from '../legacy/sessions.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { ModernCall } from '../modern/call.ts'
import type { PoolOptions, ProcessEnd } from '../modern/pool.ts'
import type { Found } from '../modern/process.ts'
import { oneOnly } from '../server/one-only.ts'
import type { LinkEnd } from '../server/link.ts'
import { Backend } from './backend.ts'
import type { Capabilities } from './capabilities.ts'
import { Lease, type Lessor, type LogWish } from './lease.ts'
import { Look } from './look.ts'
import { DISCOVER } from './methods.ts'
import type { Parking } from './parking.ts'

/** Whose processes they are. */
export interface Placed {
  /** The key of the principal. */
  readonly key: string
  /** Undefined where they are everybody's. */
  readonly caller: Principal | undefined
  /** What its clients can be asked for. */
  readonly capabilities: Capabilities
}

export interface PlaceOptions extends PoolOptions, Placed {
  readonly parking: Parking<Lease>
  readonly budget: Budget
  readonly schedule: Lessor['schedule']
  /** Whether its principal may have one more at work, in all its places; one that is idle may have ended for it. */
  readonly mayStart: () => boolean
  /** Another place of its principal's where somebody has waited longer than that, and can have no process. */
  readonly owed: (sinceMs: number) => Place | undefined
  readonly requestTimeoutMs: number
  /** Most calls of one client's that the server works on at once. */
  readonly maxConcurrentCalls: number
  /** Where records are kept. */
  readonly watchSessions?: SessionWatch | undefined
  /** A process has answered its initialize. */
  readonly onStarted: () => void
  /** A process has ended by itself and answered nothing but its initialize. */
  readonly onDied: (reason: string) => void
}

export interface Asking {
  readonly call: ModernCall
  /** Whose it is; undefined where its process is everybody's. */
  readonly caller: Principal | undefined
  readonly method: string
  readonly logs: LogWish | undefined
}

interface Waiter extends Asking {
  readonly resolve: (found: Found) => void
  sinceMs: number
}

/** Most processes of one principal that are at work, in one place and in all. */
export const MOST = 8
/** Another process is started for whoever has waited so long, or where so many wait. */
const PATIENCE_MS = 100
const CROWD = 4
/** A server of which a second process could not be started is left alone with one for so long. */
const ALONE_MS = 30_000

const justEnded = (): Fault => fault('server-exited', 'the server has just ended; try again')
const gone = (): Found => fail(fault('request-cancelled', 'nobody waits for it any more'))

export class Place implements Lessor {
  readonly parking: Parking<Lease>
  readonly now: () => number
  readonly budget: Budget
  readonly schedule: Lessor['schedule']
  private readonly options: PlaceOptions
  /** Those that are initialized, oldest first. */
  private readonly backends = new Set<Backend>()
  private readonly starting = new Set<Backend>()
  /** Those that have been asked for and are not there yet. */
  private opening = 0
  private waiting: Waiter[] = []
  /** Those that only want to know what the server can do. */
  private looking: Waiter[] = []
  private aloneUntilMs = -Infinity
  private isClosed = false

  constructor(options: PlaceOptions) {
    this.options = options
    const { parking, now, budget, schedule } = options
    this.budget = budget
    this.parking = parking
    this.now = now
    this.schedule = schedule
  }

  /** Nobody has anything here, or waits for it. */
  get isEmpty(): boolean {
    const { backends, opening, waiting, looking } = this
    return backends.size + opening + waiting.length + looking.length === 0
  }

  find(asking: Asking): Found | Promise<Found> {
    const isLook = asking.method === DISCOVER
    const found = isLook ? this.look() : this.free(asking)
    if (found) return ok(found)
    return new Promise((resolve) => {
      const queue = isLook ? this.looking : this.waiting
      queue.push({ ...asking, resolve, sinceMs: this.options.now() })
      this.openFirst()
    })
  }

  /** Processes that are at work, or start: what waits for its client is counted by itself. */
  get atWork(): number {
    let count = this.opening
    for (const { lease } of this.backends) if (lease?.isParked !== true) count += 1
    return count
  }

  /** Since when the one has been idle that has been so for longest; undefined where none is. */
  get idleSinceMs(): number | undefined {
    return this.longestIdle?.idle?.sinceMs
  }

  /** Since when somebody waits who can have no process here; undefined where nobody does. */
  get starvedSinceMs(): number | undefined {
    if (this.backends.size + this.opening > 0) return undefined
    return (this.waiting[0] ?? this.looking[0])?.sinceMs
  }

  /** Another place of the principal needs a process more. */
  giveUpIdle(): void {
    if (this.longestIdle) this.end(this.longestIdle, 'room')
  }

  released(backend: Backend): void {
    if (backend.isSpent) this.spent(backend)
    else if (!this.makesWay(backend)) this.serve()
  }

  spent(backend: Backend): void {
    this.end(backend, 'given-up')
  }

  sweep(nowMs: number, idleTimeoutMs: number): void {
    for (const backend of this.starting) backend.channel.sweep(nowMs)
    for (const backend of this.backends) {
      backend.channel.sweep(nowMs)
      const { idle, isSpent } = backend
      if (isSpent && idle) this.end(backend, 'given-up')
      else if (idle && nowMs - idle.sinceMs >= idleTimeoutMs) this.end(backend, 'idle')
    }
    this.looking = this.looking.filter((waiter) => !this.isOver(waiter, nowMs))
    this.waiting = this.waiting.filter((waiter) => !this.isOver(waiter, nowMs))
    if (this.needsMore(nowMs) && this.options.mayStart()) void this.open()
  }

  close(): void {
    this.isClosed = true
    for (const backend of this.starting) backend.channel.close()
    for (const backend of this.backends) this.end(backend, 'drain')
    this.failAll(fault('draining', 'the sidecar is ending'))
  }

  private look(): Look | undefined {
    for (const backend of this.backends) {
      const { discovery, channel } = backend
      if (discovery && !channel.isEnded) return new Look(backend, discovery)
    }
    return undefined
  }

  private free({ call: { rights }, caller, logs }: Asking): Lease | undefined {
    const lessee = { principal: this.options.key, caller, rights, logs }
    for (const backend of this.backends) if (backend.isFree) return new Lease(backend, this, lessee)
    return undefined
  }

  /** Gives what is free to those who have waited longest. */
  private serve(): void {
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      const found = first.call.isDone ? gone() : this.freeFor(first)
      if (!found) return
      this.waiting.shift()
      first.resolve(found)
    }
  }

  private freeFor(asking: Asking): Found | undefined {
    const lease = this.free(asking)
    return lease && ok(lease)
  }

  /** Ends the wait of those who have gone, or whose time is up; a process that starts has a time of its own. */
  private isOver({ call, resolve, sinceMs }: Waiter, nowMs: number): boolean {
    if (call.isDone) {
      resolve(gone())
      return true
    }
    const { requestTimeoutMs } = this.options
    const isStarting = this.backends.size === 0 && this.opening > 0
    if (isStarting || nowMs - sinceMs < requestTimeoutMs) return false
    const why = `it was not its turn within ${requestTimeoutMs} ms (${PREFIX}request-timeout): ${this.busy}`
    resolve(fail(fault('request-timeout', why)))
    return true
  }

  private get busy(): string {
    const all = [...this.backends]
    return all.length > 0 && all.every(({ lease }) => lease?.isParked)
      ? "this caller's process waits for what its client was asked"
      : "this caller's processes are busy"
  }

  private get longestIdle(): Backend | undefined {
    let found: Backend | undefined
    for (const one of this.backends) {
      if (one.idle && one.idle.sinceMs < (found?.idle?.sinceMs ?? Infinity)) found = one
    }
    return found
  }

  private get most(): number {
    const { model, maxConcurrentCalls } = this.options
    return model === 'session' ? Math.min(MOST, maxConcurrentCalls) : 1
  }

  /** Where the process model is one process, there is no second beside one that waits for its client. */
  private get held(): number {
    return this.options.model === 'session' ? this.atWork : this.backends.size + this.opening
  }

  private needsMore(nowMs: number): boolean {
    const first = this.waiting[0] ?? this.looking[0]
    if (first === undefined || this.opening > 0 || this.held >= this.most) return false
    if (this.backends.size === 0) return true
    if (nowMs < this.aloneUntilMs) return false
    return nowMs - first.sinceMs >= PATIENCE_MS || this.waiting.length >= CROWD
  }

  /** Whoever has waited longest is next, be it at another place. */
  private makesWay(backend: Backend): boolean {
    const owed = this.options.owed(this.waiting[0]?.sinceMs ?? Infinity)
    if (!owed) return false
    this.end(backend, 'room')
    owed.openFirst()
    return true
  }

  /** Starts a process where there is none. */
  openFirst(): void {
    if (this.backends.size + this.opening === 0 && this.options.mayStart()) void this.open()
  }

  private async open(): Promise<void> {
    this.opening++
    const opened = await this.start()
    this.opening--
    if (!opened.ok) {
      this.notOpened(opened.error)
      return
    }
    const nowMs = this.options.now()
    if (this.backends.size === 0) for (const waiter of this.waiting) waiter.sinceMs = nowMs
    this.backends.add(opened.value)
    this.options.onStarted()
    for (const { resolve } of this.looking.splice(0)) resolve(this.looked())
    this.serve()
  }

  private looked(): Found {
    const look = this.look()
    return look ? ok(look) : fail(justEnded())
  }

  private notOpened(reason: Fault): void {
    if (this.backends.size > 0) {
      this.aloneUntilMs = this.options.now() + ALONE_MS
      return
    }
    if (START_FAULTS.has(reason.code) && !this.isClosed) this.options.onStartFailed(reason.message)
    this.failAll(reason)
  }

  private failAll(reason: Fault): void {
    for (const { resolve } of [...this.looking.splice(0), ...this.waiting.splice(0)]) {
      resolve(fail(reason))
    }
  }

  /** A new process, initialized. */
  private async start(): Promise<Result<Backend, Fault>> {
    let running: Backend | undefined
    const { key, caller, capabilities } = this.options
    const link = await this.options.source.open({
      principal: key,
      caller,
      get idle() {
        return running?.idle
      },
      giveUp: (why = 'room') => running && this.end(running, why),
    })
    if (!link.ok) return link
    const { model, nextId, now, observe, remarks, startupTimeoutMs } = this.options
    const backend = new Backend({
      link: link.value,
      caller,
      capabilities,
      hint: () => (this.backends.size > 0 ? oneOnly(model) : undefined),
      startupTimeoutMs,
      nextId,
      now,
      observe,
      remarks,
      isShared: model === 'shared',
      vetting: this.options.vetting?.(),
      watchQuestions: this.options.watchSessions?.questions,
      onEnd: (ended, end) => this.ended(ended, end),
    })
    running = backend
    this.starting.add(backend)
    const known = await backend.initialize()
    this.starting.delete(backend)
    const isThere = known.ok && !this.isClosed && !backend.channel.isEnded
    if (isThere) return ok(backend)
    backend.channel.close()
    return known.ok ? fail(justEnded()) : known
  }

  /** Ends a process. */
  private end(backend: Backend, end: ProcessEnd): void {
    if (!this.backends.delete(backend)) return
    this.options.onProcessEnd(end)
    backend.channel.close()
    this.replace()
  }

  private ended(backend: Backend, { message }: LinkEnd): void {
    if (!this.backends.delete(backend)) return
    this.options.onProcessEnd('server')
    if (backend.channel.answers === 1) this.options.onDied(message)
    this.replace()
  }

  /** Whoever waits for one that has gone gets another, behind those who have waited longer elsewhere. */
  private replace(): void {
    const [first] = this.waiting
    if (!first || this.isClosed) return
    this.options.owed(first.sinceMs)?.openFirst()
    this.openFirst()
  }
}
