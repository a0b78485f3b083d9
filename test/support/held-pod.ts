// A pod whose server speaks HTTP and is held on loopback, in a network of its own, as root can make one: the sidecar and
// the server's container as processes of the two users of a pod.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { CONFIG_VARIABLE, POD_IPS_VARIABLE } from '../../shared/names.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import type { HttpAnswer } from './caller.ts'
import { POD_IPV4, POD_IPV6, type PodNetwork } from './pod-network.ts'
import { endProcess } from './end-process.ts'
import { childrenOf } from './proc.ts'
import { startProgram, type Running } from './running.ts'
import { buildShim } from './shim.ts'
import { INITIALIZE, JSON_HEADERS } from './raw-http.ts'
import { SERVER_UID, SIDECAR_UID } from './users.ts'
import { until } from './waiting.ts'

const SIDECAR = join(import.meta.dirname, '../../sidecar/main.ts')
const ADMIN = 'http://127.0.0.1:15201'

/** The port that the server asks for. */
export const SERVER_PORT = 8000

const become = (uid: number): readonly string[] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${uid}`,
  '--clear-groups',
]

/** As in a container the shim is PID 1, so that nothing outlives it. */
const PID_NAMESPACE = ['unshare', '--pid', '--fork', '--mount-proc']

export interface HeldPodOptions {
  readonly network: PodNetwork
  readonly command: readonly string[]
  /** What stands before the shim: another kernel's look. */
  readonly wrapper?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly document?: SidecarDocument
}

export class HeldPod {
  private readonly options: HeldPodOptions
  private readonly runDir = mkdtempSync(join(tmpdir(), 'held-pod-'))
  private sidecar: Running | undefined
  private container: ChildProcess | undefined
  /** What the server's container has said on stderr. */
  log = ''

  constructor(options: HeldPodOptions) {
    this.options = options
    // As an emptyDir of medium Memory is.
    chmodSync(this.runDir, 0o1777)
  }

  async startSidecar(): Promise<void> {
    const { network, document } = this.options
    const [command, ...args] = [
      ...network.enterPod,
      ...become(SIDECAR_UID),
      process.execPath,
      SIDECAR,
    ]
    const whole: SidecarDocument = {
      runDir: this.runDir,
      isSupervised: true,
      standIns: [{ port: SERVER_PORT }],
      allowedHosts: ['*'],
      ...document,
      settings: { auth: 'none', transport: 'http', port: `${SERVER_PORT}`, ...document?.settings },
    }
    this.sidecar = await startProgram({
      command,
      args,
      env: {
        [CONFIG_VARIABLE]: JSON.stringify(whole),
        [POD_IPS_VARIABLE]: `${POD_IPV4},${POD_IPV6}`,
      },
      ready: async () => (await this.readiness('/startupz')).status === 200,
    })
  }

  startContainer(): void {
    const { network, wrapper = [], command, environment } = this.options
    const shim = [buildShim('all'), 'exec', '--loopback', '--run', this.runDir, '--grace', '3']
    const [file = '', ...words] = [
      ...network.enterPod,
      ...wrapper,
      ...PID_NAMESPACE,
      ...become(SERVER_UID),
      ...shim,
      '--',
      ...command,
    ]
    this.container = spawn(file, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    })
    this.container.stderr?.on('data', (bytes: Buffer) => (this.log += bytes.toString()))
  }

  async start(): Promise<void> {
    await this.startSidecar()
    this.startContainer()
  }

  /** The first process of the server's container. */
  private first(): Promise<number> {
    const pid = this.container?.pid ?? 0
    return until(() => childrenOf(pid)[0], 'the container has a first process')
  }

  /** Asks the server's container to end, as the kubelet does at first; resolves when it has. */
  async stopContainer(): Promise<void> {
    const { container } = this
    if (!container) return
    const gone = once(container, 'exit')
    process.kill(await this.first(), 'SIGTERM')
    await gone
  }

  /** Ends the server's container as the kubelet does in the end. */
  async killContainer(): Promise<void> {
    const { container } = this
    if (!container || container.exitCode !== null || container.signalCode !== null) return
    const gone = once(container, 'exit')
    endProcess(await this.first())
    await gone
  }

  async killSidecar(): Promise<void> {
    const { sidecar } = this
    this.sidecar = undefined
    sidecar?.kill()
    await sidecar?.stop()
  }

  /** What the sidecar has logged. */
  get sidecarLog(): string {
    return this.sidecar?.stderr() ?? ''
  }

  readiness(path = '/readyz'): Promise<HttpAnswer> {
    return this.options.network.askFromPod(`${ADMIN}${path}`)
  }

  /** Waits until readiness says something; what it says. */
  async until(isWanted: (answer: HttpAnswer) => boolean): Promise<HttpAnswer> {
    let last = ''
    try {
      return await until(async () => {
        const answer = await this.readiness()
        last = answer.text
        return isWanted(answer) && answer
      }, 'readiness says it')
    } catch (error) {
      throw new Error(`readiness: ${last}; ${this.sidecarLog}; ${this.log}`, { cause: error })
    }
  }

  /** The first request of a client in the other pod. */
  initialize(address: string, path = '/mcp', port = SERVER_PORT): Promise<HttpAnswer> {
    const host = address.includes(':') ? `[${address}]` : address
    return this.options.network.askFromOther(`http://${host}:${port}${path}`, {
      method: 'POST',
      headers: JSON_HEADERS,
      body: INITIALIZE,
    })
  }

  async metric(pattern: RegExp): Promise<number> {
    const { text } = await this.readiness('/metrics')
    return Number(pattern.exec(text)?.[1] ?? Number.NaN)
  }

  async close(): Promise<void> {
    await this.killContainer()
    await this.killSidecar()
    rmSync(this.runDir, { recursive: true, force: true })
  }
}
