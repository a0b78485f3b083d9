// Several replicas of one workload on this machine: each a sidecar with an address of its own and a server container, one folder
// of keys, a headless Service that names those who are there, and a balancer before them that knows no sessions.

import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../shared/log.ts'
import {
  parseSidecarConfig,
  speaksHttp,
  type SidecarDocument,
} from '../../shared/sidecar-config.ts'
import { processOf } from '../../sidecar/life/process.ts'
import { startSidecar, type Sidecar } from '../../sidecar/sidecar.ts'
import { issue } from './certificates.ts'
import { Container } from './pod.ts'
import { PUPPET } from './puppet.ts'
import { removeFolder } from './remove-folder.ts'
import { until, within } from './waiting.ts'

const SERVICE = 'outrigger-deployment-echo-headless.team-a.svc'

/** Writes what the Secret of a workload holds. */
export const writeKeys = (folder: string): void => {
  mkdirSync(folder, { recursive: true })
  const { cert, key } = issue({
    commonName: 'replicas',
    names: ['replicas.deployment-echo.team-a.outrigger'],
  })
  writeFileSync(join(folder, 'tls.crt'), cert)
  writeFileSync(join(folder, 'tls.key'), key)
  writeFileSync(join(folder, 'id.key'), randomBytes(32).toString('base64url'))
}

/** The address in a session's id. */
export const holderOf = (id: string): string =>
  Buffer.from(id, 'base64url').subarray(16, -16).join('.')

export type Replica = {
  readonly address: string
  readonly sidecar: Sidecar
  readonly url: string
  readonly folder: string
  /** As its log has it. */
  readonly lines: readonly string[]
  /** What the metrics say of one. */
  readonly metric: (name: string) => Promise<number>
  /** It ends with all that it holds. */
  readonly kill: () => Promise<void>
  readonly drain: (leftMs: number) => Promise<void>
}

export type WorkloadOptions = {
  readonly command?: readonly string[]
  readonly document?: SidecarDocument
}

export class Workload {
  readonly folder = mkdtempSync(join(tmpdir(), 'outrigger-replicas-'))
  readonly keys = join(this.folder, 'keys')
  /** Those whom the Service names. */
  readonly named = new Set<string>()
  /** By how much the clock of all of them is ahead. */
  aheadMs = 0
  private readonly options: WorkloadOptions
  private readonly replicas = new Set<Replica>()
  private readonly balancer: Server
  private turn = 0
  /** Exchanges that the balancer has with each. */
  private readonly open = new Map<Replica, number>()
  /** Of its own, so that nobody else on this machine has one of its ports. */
  private readonly network = `127.${randomInt(1, 250)}.${randomInt(1, 250)}`
  private count = 0

  constructor(options: WorkloadOptions = {}) {
    this.options = options
    this.balancer = createServer((asked, answer) => {
      const there = [...this.replicas]
      const replica = there[this.turn++ % there.length]
      if (!replica) {
        answer.writeHead(503).end()
        return
      }
      const { method, headers } = asked
      this.open.set(replica, (this.open.get(replica) ?? 0) + 1)
      answer.on('close', () => this.open.set(replica, (this.open.get(replica) ?? 0) - 1))
      const sent = request(replica.url, { method, headers, agent: false }, (came) => {
        answer.writeHead(came.statusCode ?? 502, came.headers)
        answer.flushHeaders()
        came.on('error', () => answer.destroy())
        came.pipe(answer)
      })
      sent.on('error', () => answer.destroy())
      answer.on('close', () => sent.destroy())
      asked.pipe(sent)
    })
  }

  /** Where clients call. */
  url = ''

  async begin(replicas: number): Promise<this> {
    writeKeys(this.keys)
    this.balancer.listen(0, '127.0.0.1')
    await once(this.balancer, 'listening')
    const address: AddressInfo | string | null = this.balancer.address()
    if (typeof address !== 'object' || address === null) throw new Error('no port')
    this.url = `http://127.0.0.1:${address.port}/mcp`
    for (let count = 0; count < replicas; count++) await this.add()
    return this
  }

  get all(): readonly Replica[] {
    return [...this.replicas]
  }

  /** One more, with its own address; it can serve calls. */
  async add(keys = this.keys): Promise<Replica> {
    const address = `${this.network}.${++this.count}`
    const folder = mkdtempSync(join(tmpdir(), 'outrigger-pod-'))
    const { command = PUPPET, document = {} } = this.options
    const config = parseSidecarConfig({
      host: address,
      port: 0,
      adminPort: 0,
      isolation: 'advisory',
      runDir: folder,
      ...document,
      settings: { auth: 'none', ...document.settings },
      replicas: { service: SERVICE, keys },
    })
    if (!config.ok) throw new Error(config.error.join())
    const lines: string[] = []
    const log = createLog({ level: 'info', write: (line) => lines.push(line), now: () => 0 })
    this.named.add(address)
    const sidecar = await startSidecar({
      config: config.value,
      log,
      now: () => performance.now() + this.aheadMs,
      wallMs: () => Date.now(),
      process: processOf(process, undefined),
      pod: { addresses: [address], listeners: () => [], facts: {} },
      resolveService: async () => [...this.named],
    })
    const container = speaksHttp(config.value.settings) ? undefined : new Container(folder, command)
    const end = async (close: () => Promise<void>): Promise<void> => {
      // A balancer sends nothing more there; what it has sent is over, in the name of whichever session.
      this.replicas.delete(replica)
      await until(() => (this.open.get(replica) ?? 0) === 0, 'the balancer has done with it')
      this.named.delete(address)
      await close()
      container?.signal('SIGKILL')
      await container?.exited
      await removeFolder(folder)
    }
    const replica: Replica = {
      address,
      sidecar,
      url: `http://${address}:${sidecar.port}/mcp`,
      folder,
      lines,
      metric: async (name) => {
        const answer = await fetch(`http://${address}:${sidecar.adminPort}/metrics`)
        const text = await answer.text()
        const line = text.split('\n').find((one) => one.startsWith(`${name} `))
        return Number(line?.slice(name.length + 1) ?? Number.NaN)
      },
      kill: () => end(() => sidecar.close()),
      drain: (leftMs) => end(() => sidecar.drain(leftMs)),
    }
    await within(sidecar.ready, () => `replica ${address}: ${sidecar.obstacle() ?? ''}`)
    this.replicas.add(replica)
    return replica
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map(({ kill }) => kill()))
    this.balancer.closeAllConnections()
    this.balancer.close()
    await removeFolder(this.folder)
  }
}
