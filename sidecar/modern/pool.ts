// The modern processes by principal: found or opened for a request, ended when idle. Nobody is ever
// given another principal's process, unless the process model is `shared`.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import type { LinkSource } from '../upstream/source.ts'
import type { Observe } from '../bridge/channel.ts'
import { Backend } from './backend.ts'

export interface PoolOptions {
  readonly source: LinkSource
  readonly model: 'session' | 'principal' | 'shared'
  readonly nextId: () => number
  readonly now: () => number
  readonly observe: Observe
}

type Found = Result<Backend, Fault>

export class Pool {
  private readonly options: PoolOptions
  private readonly backends = new Map<string, Set<Backend>>()
  private readonly opening = new Map<string, Promise<Found>>()

  constructor(options: PoolOptions) {
    this.options = options
  }

  /** A process for a request; one that asks for log lines needs a process where no other does. */
  find(principal: string, wantsLogs: boolean): Found | Promise<Found> {
    const key = this.options.model === 'shared' ? 'shared' : principal
    for (const backend of this.backends.get(key) ?? []) {
      if (!wantsLogs || backend.logReader === undefined) return ok(backend)
    }
    if (wantsLogs) return this.open(key)
    const running = this.opening.get(key)
    if (running) return running
    const opened = this.open(key).finally(() => this.opening.delete(key))
    this.opening.set(key, opened)
    return opened
  }

  sweep(nowMs: number, idleTimeoutMs: number): void {
    for (const [key, backends] of this.backends) {
      for (const backend of backends) {
        backend.channel.sweep(nowMs)
        if (!backend.isIdle || nowMs - backend.lastUsedMs < idleTimeoutMs) continue
        this.forget(key, backend)
        backend.channel.close()
      }
    }
  }

  close(): void {
    for (const backends of this.backends.values()) {
      for (const backend of backends) backend.channel.close()
    }
    this.backends.clear()
  }

  private forget(key: string, backend: Backend): void {
    const backends = this.backends.get(key)
    backends?.delete(backend)
    if (backends?.size === 0) this.backends.delete(key)
  }

  private async open(key: string): Promise<Found> {
    const { source, nextId, now, observe } = this.options
    const link = await source.open()
    if (!link.ok) return fail(link.error)
    const backend: Backend = new Backend({
      link: link.value,
      nextId,
      now,
      observe,
      onEnd: () => this.forget(key, backend),
    })
    const others = this.backends.get(key) ?? new Set()
    this.backends.set(key, others.add(backend))
    return ok(backend)
  }
}
