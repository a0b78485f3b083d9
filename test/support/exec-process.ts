// Runs `shim exec` as a real process for tests, as the server's user where this process is root. Where it has a
// run directory, this process is its sidecar.

import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildShim, type Exit } from './shim.ts'
import { Connection } from './shim-connection.ts'
import { familyOf } from './proc.ts'
import { IS_ROOT, SERVER_UID } from './users.ts'
import { until, within } from './waiting.ts'

export interface ExecOptions {
  readonly binary?: string
  /** What stands before the shim: a namespace, another kernel's look. Runs as root, if this process does. */
  readonly wrapper?: readonly string[]
  readonly flags?: readonly string[]
  readonly command: readonly string[]
  readonly cwd?: string
  /** No shim: the command alone, to see what it does by itself. */
  readonly isBare?: boolean
  /** With a run directory, and this process listening there. */
  readonly hasSidecar?: boolean
}

const BECOME_SERVER = IS_ROOT
  ? ['setpriv', `--reuid=${SERVER_UID}`, `--regid=${SERVER_UID}`, '--clear-groups']
  : []

/** A shim with one command, and what it says. */
export class ExecProcess {
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  readonly dir = mkdtempSync(join(tmpdir(), 'shim-exec-'))
  private readonly accepted: Connection[] = []
  private readonly connections: Connection[] = []
  private readonly out: Buffer[] = []
  private readonly errors: Buffer[] = []
  private server: Server | undefined

  constructor(options: ExecOptions) {
    chmodSync(this.dir, 0o1777)
    if (options.hasSidecar === true) this.listen()
    const [file = '', ...words] = [
      ...(options.wrapper ?? []),
      ...BECOME_SERVER,
      ...this.commandLine(options),
    ]
    this.process = spawn(file, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd ?? this.dir,
    })
    this.process.stdout?.on('data', (bytes: Buffer) => this.out.push(bytes))
    this.process.stderr?.on('data', (bytes: Buffer) => this.errors.push(bytes))
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  private commandLine(options: ExecOptions): readonly string[] {
    if (options.isBare === true) return options.command
    const { binary = buildShim('all'), flags = ['--loopback'] } = options
    const run = options.hasSidecar === true ? ['--run', this.dir] : []
    return [binary, 'exec', ...run, ...flags, '--', ...options.command]
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  /** What the command has said on stdout so far. */
  get said(): string {
    return Buffer.concat(this.out).toString()
  }

  /** What shim and command have said on stderr so far. */
  get log(): string {
    return Buffer.concat(this.errors).toString()
  }

  private listen(): void {
    const path = join(this.dir, 'control')
    this.server = createServer((socket) => {
      const connection = new Connection(socket, this.dir)
      this.accepted.push(connection)
      this.connections.push(connection)
    })
    this.server.listen(path)
    chmodSync(path, 0o666)
  }

  /** The shim's next connection. */
  connection(): Promise<Connection> {
    return until(() => this.accepted.shift(), `a connection; log: ${this.log}`)
  }

  /** The first line that the command says. */
  line(): Promise<string> {
    return until(() => {
      const end = this.said.indexOf('\n')
      if (end < 0 && this.process.exitCode !== null) {
        throw new Error(`it has ended with ${this.process.exitCode}: ${this.said}${this.log}`)
      }
      return end >= 0 && this.said.slice(0, end)
    }, 'the command says a line')
  }

  exit(): Promise<Exit> {
    return within(this.exited, () => `the exit; log: ${this.log}`)
  }

  /** Ends it, and checks that it leaves no process. */
  async close(): Promise<void> {
    // A sidecar that is there could hold the signal back.
    this.server?.close()
    for (const connection of this.connections) connection.close()
    this.process.kill('SIGTERM')
    const late = setTimeout(() => this.process.kill('SIGKILL'), 5000)
    await this.exit()
    clearTimeout(late)
    rmSync(this.dir, { recursive: true, force: true })
    await until(() => familyOf(this.pid).length === 0, 'no process is left')
    if (/Sanitizer|runtime error:/.test(this.log))
      throw new Error(`a sanitizer complained: ${this.log}`)
  }
}
