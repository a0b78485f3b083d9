// The modern processes by principal: found or opened for a request, ended when idle, or when somebody else needs
// the place. Nobody is ever given another principal's process, unless the process model is `shared`.

import { fail, ok, type Result } from '../../shared/result.ts'
import { EVERYBODY, type Principal } from '../access/principal.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { GiveUp, LinkSource } from '../server/source.ts'
import type { Caller } from '../conversation/call.ts'
import type { Observe } from '../conversation/call.ts'
import type { Vetting } from '../conversation/vetting.ts'
import type { LinkEnd } from '../server/link.ts'
import { oneOnly } from '../server/one-only.ts'
import { Backend } from './backend.ts'
import type { ModernProcesses } from './process.ts'

export interface PoolOptions {
  readonly source: LinkSource
  readonly model: 'session' | 'principal' | 'shared'
  readonly nextId: () => number
  readonly now: () => number
  readonly observe: Observe
  readonly remarks: Remarks
  readonly startupTimeoutMs: number
  /** Undefined where there is none. */
  readonly vetting?: (() => Vetting | undefined) | undefined
  /** A process has ended before it had answered anything. */
  readonly onStartFailed: (reason: string) => void
  /** Counts the ends of processes. */
  readonly onProcessEnd: (end: ProcessEnd) => void
}

/** Why a process has ended: by itself, nobody used it, somebody needed its place, its caller's tokens have expired, the pod ends, or its call was given up. */
export type ProcessEnd = 'server' | 'idle' | GiveUp | 'drain' | 'given-up'

type Found = Result<Backend, Fault>

export class Pool implements ModernProcesses {
  private readonly options: PoolOptions
  private readonly backends = new Map<string, Set<Backend>>()
  private readonly opening = new Map<string, Promise<Found>>()

  constructor(options: PoolOptions) {
    this.options = options
  }

  /**
   * A process for a request; one that asks for log lines gets a process where no other does. What everybody
   * shares has none for anybody: they would say what strangers do.
   */
  find(principal: Principal, caller: Caller | undefined): Found | Promise<Found> {
    return this.options.model === 'shared'
      ? this.of(EVERYBODY, undefined)
      : this.of(principal, caller)
  }

  private of(principal: Principal, logReader: Caller | undefined): Found | Promise<Found> {
    const { key } = principal
    for (const backend of this.backends.get(key) ?? []) {
      if (logReader === undefined) return ok(backend)
      if (backend.logReader !== undefined) continue
      backend.logReader = logReader
      return ok(backend)
    }
    if (logReader) return this.open(principal, logReader)
    const running = this.opening.get(key)
    if (running) return running
    const opened = this.open(principal, undefined).finally(() => this.opening.delete(key))
    this.opening.set(key, opened)
    return opened
  }

  sweep(nowMs: number, idleTimeoutMs: number): void {
    for (const [key, backends] of this.backends) {
      for (const backend of backends) {
        backend.channel.sweep(nowMs)
        const { idle } = backend
        if (!idle || idle.isListening || nowMs - idle.sinceMs < idleTimeoutMs) continue
        this.end(key, backend, 'idle')
      }
    }
  }

  /** Ends a process; subscriptions to it end as such, and their clients may begin anew. */
  private end(key: string, backend: Backend, end: ProcessEnd): void {
    if (!this.backends.get(key)?.has(backend)) return
    this.forget(key, backend)
    this.options.onProcessEnd(end)
    backend.endSubscriptions()
    backend.channel.close()
  }

  close(): void {
    for (const [key, backends] of this.backends) {
      for (const backend of backends) this.end(key, backend, 'drain')
    }
  }

  private forget(key: string, backend: Backend): void {
    const backends = this.backends.get(key)
    backends?.delete(backend)
    if (backends?.size === 0) this.backends.delete(key)
  }

  private ended(key: string, backend: Backend, { message }: LinkEnd): void {
    const isOurs = !this.backends.get(key)?.has(backend)
    this.forget(key, backend)
    if (!isOurs) this.options.onProcessEnd('server')
    const isFailure = !isOurs && !backend.channel.hasAnswered && !this.hasOthers(backend)
    if (isFailure) this.options.onStartFailed(message)
  }

  private hasOthers(backend: Backend): boolean {
    for (const backends of this.backends.values()) {
      for (const other of backends) if (other !== backend && other.channel.hasAnswered) return true
    }
    return false
  }

  private async open(principal: Principal, logReader: Caller | undefined): Promise<Found> {
    const { key } = principal
    const { source, model, nextId, now, observe, remarks, startupTimeoutMs } = this.options
    let running: Backend | undefined
    const link = await source.open({
      principal: key,
      caller: principal === EVERYBODY ? undefined : principal,
      get idle() {
        return running?.idle
      },
      giveUp: (why = 'room') => running && this.end(key, running, why),
    })
    if (!link.ok) return fail(link.error)
    const backend: Backend = new Backend({
      link: link.value,
      hint: () => (this.hasOthers(backend) ? oneOnly(model) : undefined),
      startupTimeoutMs,
      nextId,
      now,
      observe,
      remarks,
      isShared: model === 'shared',
      vetting: this.options.vetting?.(),
      onEnd: (ended, end) => this.ended(key, ended, end),
    })
    running = backend
    backend.logReader = logReader
    const others = this.backends.get(key) ?? new Set()
    this.backends.set(key, others.add(backend))
    return ok(backend)
  }
}
