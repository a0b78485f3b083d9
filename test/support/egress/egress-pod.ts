// The arena's pod as injection makes it: the sidecar and the server's container under the shim, each as its own user, and
// clients who call the server's tools.

import { chmodSync, existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CONFIG_VARIABLE, POD_IPS_VARIABLE } from '../../../shared/names.ts'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import { Caller, type HttpAnswer } from '../caller.ts'
import { messageIn, INITIALIZE, JSON_HEADERS } from '../raw-http.ts'
import { startProgram, type Running } from '../running.ts'
import { buildShim } from '../shim.ts'
import { SIDECAR_UID } from '../users.ts'
import { until } from '../waiting.ts'
import { API_SERVER, SERVER_ADDRESSES, SIDECAR_ADDRESSES } from './addresses.ts'
import { Container, ENVIRONMENT } from './container.ts'
import { FIXTURES } from './row.ts'
import type { TwoHosts } from './two-hosts.ts'

const SIDECAR = join(import.meta.dirname, '../../../sidecar/main.ts')
const MCP = 'http://127.0.0.1:15200/mcp'
const ADMIN = 'http://127.0.0.1:15201'
/** Of a server that speaks HTTP. */
const SERVER_PORT = 3000

export interface EgressPodOptions {
  readonly hosts: TwoHosts
  readonly mode: 'observe' | 'enforce'
  /** As the annotation has it. */
  readonly egress: string
  readonly document?: SidecarDocument
  readonly environment?: Readonly<Record<string, string>>
  readonly capability?: string
  /** The server speaks HTTP, and is one command under `shim exec`. */
  readonly isHttp?: boolean
  /** The program of the server; the tools unless said. */
  readonly command?: readonly string[]
}

/** What a tool's program has come to. */
export interface ToolResult {
  readonly code: number | string
  readonly text: string
}

export interface ToolOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

/** One client with a session of its own, whose child is its own. */
export class PodSession {
  private readonly caller: Caller
  private readonly headers: Readonly<Record<string, string>>
  readonly id: string
  private last = 0

  constructor(caller: Caller, id: string, headers: Readonly<Record<string, string>>) {
    this.caller = caller
    this.id = id
    this.headers = { ...JSON_HEADERS, ...headers, 'mcp-session-id': id }
  }

  post(body: string): Promise<HttpAnswer> {
    return this.caller.ask({ url: MCP, method: 'POST', headers: this.headers, body })
  }

  /** Runs a program as the server's own. */
  async run(command: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
    const params = { name: 'run', arguments: { command, ...options } }
    const { status, text, headers } = await this.post(
      JSON.stringify({ jsonrpc: '2.0', id: ++this.last, method: 'tools/call', params }),
    )
    const said = messageIn({
      status,
      text,
      headers: { 'content-type': String(headers['content-type']) },
    })
    try {
      const { code, text: output } = JSON.parse(JSON.parse(said).result.content[0].text)
      return { code, text: output }
    } catch {
      throw new Error(`no result: HTTP ${status} ${text}`)
    }
  }
}

export class EgressPod {
  private readonly options: EgressPodOptions
  private readonly runDir: string
  private readonly auditDir: string
  private readonly caller: Caller
  private sidecar: Running | undefined
  private readonly told: AuditRecord[] = []
  private readTo = 0
  container: Container | undefined

  constructor(options: EgressPodOptions) {
    this.options = options
    const { hosts } = options
    this.runDir = mkdtempSync(join(hosts.folder, 'run-'))
    // As an emptyDir of medium Memory is.
    chmodSync(this.runDir, 0o1777)
    this.auditDir = mkdtempSync(join(hosts.folder, 'audit-'))
    chmodSync(this.auditDir, 0o777)
    this.caller = new Caller(hosts.inPod)
  }

  /** What sidecar and server's container share. */
  get folder(): string {
    return this.runDir
  }

  /** Where the shim finds the sidecar. */
  get control(): string {
    return join(this.runDir, 'control')
  }

  async startSidecar(): Promise<void> {
    const { hosts, mode, egress, document, isHttp = false } = this.options
    const [command, ...args] = [...hosts.inPod, ...BECOME_SIDECAR, process.execPath, SIDECAR]
    const whole: SidecarDocument = {
      runDir: this.runDir,
      allowedHosts: ['*'],
      egress: { confinement: 'require' },
      audit: { file: this.auditFile },
      ...(isHttp && { isSupervised: true }),
      ...document,
      settings: {
        auth: 'none',
        egress,
        'egress-mode': mode,
        ...(isHttp && { transport: 'http', port: `${SERVER_PORT}` }),
        ...document?.settings,
      },
    }
    this.sidecar = await startProgram({
      command,
      args,
      env: {
        [CONFIG_VARIABLE]: JSON.stringify(whole),
        [POD_IPS_VARIABLE]: [...SERVER_ADDRESSES, ...SIDECAR_ADDRESSES].join(','),
        KUBERNETES_SERVICE_HOST: API_SERVER,
      },
      ready: async () => (await this.admin('/startupz')).status === 200,
    })
  }

  startContainer(): void {
    const { hosts, environment, capability } = this.options
    this.container = new Container({
      hosts,
      command: [buildShim('all'), ...this.shimWords, '--', ...this.serverWords],
      environment: { ...ENVIRONMENT, ...environment },
      ...(capability !== undefined && { capability }),
    })
  }

  private get shimWords(): readonly string[] {
    const { isHttp = false, mode } = this.options
    const kind = isHttp
      ? ['exec', '--loopback', '--egress', mode]
      : ['serve', '--spawn-rate', '1000']
    return [...kind, '--run', this.runDir, '--grace', '3']
  }

  private get serverWords(): readonly string[] {
    const { isHttp = false, command } = this.options
    if (command) return command
    return isHttp
      ? [process.execPath, `${FIXTURES}http-tools.ts`, `${SERVER_PORT}`]
      : [process.execPath, `${FIXTURES}tools.ts`]
  }

  async start(): Promise<void> {
    await this.startSidecar()
    this.startContainer()
    await this.ready()
  }

  /** Resolves when the server is served, also again. */
  async ready(): Promise<void> {
    let said = ''
    try {
      await until(async () => {
        const { status, text } = await this.admin('/readyz')
        said = text
        return status === 200
      }, 'the pod is ready')
    } catch (error) {
      throw new Error(`${said}; ${this.log}`, { cause: error })
    }
  }

  /** What sidecar and container have said. */
  get log(): string {
    return `${this.sidecar?.stderr() ?? ''}; ${this.container?.log ?? ''}`
  }

  admin(path: string): Promise<HttpAnswer> {
    return this.caller.ask({ url: `${ADMIN}${path}` })
  }

  async session(headers: Readonly<Record<string, string>> = {}): Promise<PodSession> {
    const opened = await this.caller.ask({
      url: MCP,
      method: 'POST',
      headers: { ...JSON_HEADERS, ...headers },
      body: INITIALIZE,
    })
    const id = opened.headers['mcp-session-id']
    if (typeof id !== 'string')
      throw new Error(`no session: ${JSON.stringify(opened)}; ${this.log}`)
    const session = new PodSession(this.caller, id, headers)
    await session.post('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    return session
  }

  private get auditFile(): string {
    return join(this.auditDir, 'audit.jsonl')
  }

  /** What is on record so far; each line by the schema. */
  records(): readonly AuditRecord[] {
    if (!existsSync(this.auditFile)) return []
    const bytes = readFileSync(this.auditFile)
    const end = bytes.lastIndexOf('\n') + 1
    for (const line of bytes.toString('utf8', this.readTo, end).split('\n').filter(Boolean)) {
      this.told.push(recordSchema.parse(JSON.parse(line)))
    }
    this.readTo = end
    return this.told
  }

  async killSidecar(): Promise<void> {
    const { sidecar } = this
    this.sidecar = undefined
    sidecar?.kill()
    await sidecar?.stop()
  }

  async close(): Promise<void> {
    this.caller.close()
    await this.container?.close()
    await this.killSidecar()
  }
}

/** As the sidecar's user, until this process ends. */
const BECOME_SIDECAR = [
  'setpriv',
  '--pdeathsig',
  'KILL',
  `--reuid=${SIDECAR_UID}`,
  `--regid=${SIDECAR_UID}`,
  '--clear-groups',
]
