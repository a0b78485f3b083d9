// Links in memory to as many servers as there are places for. Each answers `initialize` once the caller's turn is over
// and goes once it is closed; what else it says, a test says. Who waits, and who makes room, is the sidecar's own.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { ok, type Result } from '../../shared/result.ts'
import type { Spawned } from '../../sidecar/server/child-ends.ts'
import type { LinkSource, Tenant } from '../../sidecar/server/source.ts'
import { Spawner, type Processes } from '../../sidecar/server/spawner.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import type { Link } from '../../sidecar/server/link.ts'
import { FakeLink } from './fake-link.ts'

const INITIALIZE = /"id":(\d+),"method":"initialize".*"protocolVersion":"([^"]+)"/

class FakeServer extends FakeLink {
  readonly tenant: Tenant
  private readonly isSlow: boolean

  constructor(tenant: Tenant, isSlow: boolean) {
    super()
    this.tenant = tenant
    this.isSlow = isSlow
  }

  override send(...message: Parameters<FakeLink['send']>): Fault | undefined {
    const unsent = super.send(...message)
    const [, id, version] = INITIALIZE.exec(message[0]) ?? []
    if (id !== undefined && !this.isSlow) {
      const result = `{"protocolVersion":"${version}","capabilities":{},"serverInfo":{"name":"fake","version":"1"}}`
      queueMicrotask(() => this.says(`{"jsonrpc":"2.0","id":${id},"result":${result}}`))
    }
    return unsent
  }
}

class FakeProcesses implements Processes {
  isReady = true
  /** Those that are started now do not answer `initialize`. */
  areSlow = false
  /** In the order in which they were asked for. */
  readonly servers: FakeServer[] = []
  private gone = 0
  private freed: (() => void)[] = []

  get count(): number {
    return this.servers.length - this.gone
  }

  get ending(): number {
    return this.servers.filter(({ isClosed }) => isClosed).length - this.gone
  }

  get tenants(): Iterable<Tenant> {
    return this.servers.filter(({ isClosed }) => !isClosed).map(({ tenant }) => tenant)
  }

  spawn(tenant: Tenant): Promise<Spawned> {
    const server = new FakeServer(tenant, this.areSlow)
    this.servers.push(server)
    return Promise.resolve(ok(server))
  }

  whenFreed(): Promise<void> {
    return new Promise((resolve) => {
      this.freed.push(resolve)
    })
  }

  /** Those that were closed have gone. */
  clear(): void {
    this.gone += this.ending
    for (const resolve of this.freed.splice(0)) resolve()
  }
}

export interface FakeSourceOptions {
  readonly places: number
  readonly idleTimeoutMs: number
  readonly now: () => number
}

const ROOMY: FakeSourceOptions = { places: 1024, idleTimeoutMs: 1000, now: () => 0 }

export class FakeSource implements LinkSource {
  private readonly options: FakeSourceOptions
  private readonly processes = new FakeProcesses()
  private readonly spawner: Spawner

  constructor(options = ROOMY) {
    this.options = options
    const { places, idleTimeoutMs, now } = options
    this.spawner = new Spawner({
      control: this.processes,
      maxProcesses: places,
      idleTimeoutMs,
      now,
      onSpawn: () => undefined,
    })
  }

  /** In the order in which they were asked for. */
  get links(): readonly FakeLink[] {
    return this.processes.servers
  }

  open(tenant: Tenant): Promise<Result<Link, Fault>> {
    return this.spawner.open(tenant)
  }

  /** From now on servers do not answer `initialize`. */
  slowDown(): void {
    this.processes.areSlow = true
  }

  /** What a sweep of the sidecar does for those who wait; servers that were closed are gone then. */
  async sweep(): Promise<void> {
    this.spawner.sweep(this.options.now())
    this.processes.clear()
    await nextTurn()
  }

  /** Which server was sent this, by its place in `links`; -1 for none. */
  serverOf(text: string): number {
    return this.links.findIndex(({ sent }) => sent.some((one) => one.includes(text)))
  }
}
