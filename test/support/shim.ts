// Runs a shim as a real process, with this process as its sidecar, for tests. As root the two have
// users of their own, as in a pod; otherwise they share one, and isolation is advisory.

import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from './shim-connection.ts'
import { childrenOf, familyOf } from './proc.ts'
import { asUser, IS_ROOT, OWN_UID, SERVER_UID, SIDECAR_UID } from './users.ts'
import { until, within } from './waiting.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Whether a program is there to be run. */
export const hasProgram = (name: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status === 0

const FILES = { all: 'shim', asan: 'shim-asan', aarch64: 'shim-aarch64', fuzz: 'shim-fuzz' }

const built = new Set<keyof typeof FILES>()

/** Builds one kind of shim (nothing to do where it is newer than its sources), once for a file of tests; its path. */
export const buildShim = (target: keyof typeof FILES): string => {
  const path = join(ROOT, 'dist', FILES[target])
  if (built.has(target)) return path
  mkdirSync(join(ROOT, 'dist'), { recursive: true })
  const make = ['make', '-C', 'sidecar/shim', '-s', target]
  // Tests run side by side; the lock keeps them from building the same thing at once.
  execFileSync('flock', ['dist/.shim-build', ...make], { cwd: ROOT, stdio: 'pipe' })
  built.add(target)
  return path
}

/** The builds that must behave alike: as released, and with sanitizers that end it at a fault. */
export const BUILDS = [
  ['release', 'all'],
  ['sanitized', 'asan'],
] as const

/** Compiles a program of test/fixtures; its path. */
export const compileFixture = (name: string, folder: string): string => {
  const program = join(folder, name)
  execFileSync('cc', ['-O1', '-o', program, join(ROOT, 'test/fixtures', `${name}.c`)])
  return program
}

/** A command whose behaviour each spawn chooses through the variable SCRIPT. */
export const SHELL_COMMAND = ['/bin/sh', '-c', 'eval "$SCRIPT"']

/** Becomes the server's user and then what follows. */
export const BECOME_SERVER = `setpriv --reuid=${SERVER_UID} --regid=${SERVER_UID} --clear-groups`

/** Makes the shim PID 1 of a namespace of its own, as in a container. Only root can. */
export const AS_PID_1 = {
  wrapper: `unshare --pid --fork --kill-child --mount-proc ${BECOME_SERVER}`.split(' '),
  isUserSetByWrapper: true,
} as const

export interface ShimOptions {
  readonly binary?: string
  /** What runs the binary: an emulator, or something that prepares its surroundings. */
  readonly wrapper?: readonly string[]
  /** The wrapper must be root and becomes SERVER_UID by itself. */
  readonly isUserSetByWrapper?: boolean
  readonly flags?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Do not listen before `listen()` is called. */
  readonly isLate?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

const SANITIZER = /(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:/

/** A running shim and the directory that it shares with this process. */
export class ShimProcess {
  readonly dir = mkdtempSync(join(tmpdir(), 'shim-test-'))
  readonly uid = IS_ROOT ? SERVER_UID : OWN_UID
  readonly sidecarUid = IS_ROOT ? SIDECAR_UID : OWN_UID
  readonly process: ChildProcess
  readonly exited: Promise<Exit>
  private readonly mark = randomUUID()
  private readonly accepted: Connection[] = []
  private readonly takers: ((connection: Connection) => void)[] = []
  private readonly connections: Connection[] = []
  private readonly output: Buffer[] = []
  private server: Server | undefined
  private isOver = false

  constructor(options: ShimOptions = {}) {
    chmodSync(this.dir, 0o1777)
    mkdirSync(this.homes)
    chmodSync(this.homes, 0o1777)
    if (options.isLate !== true) this.listen()
    this.process = this.spawn(options)
    this.process.stderr?.on('data', (bytes: Buffer) => this.output.push(bytes))
    this.exited = new Promise((resolve) => {
      this.process.once('close', (code, signal) => resolve({ code, signal }))
    })
  }

  private spawn(options: ShimOptions): ChildProcess {
    const { wrapper = [], flags = [], command = SHELL_COMMAND, environment = {} } = options
    const serve = ['serve', '--run', this.dir, '--spawn-rate', '10000', ...flags, '--', ...command]
    const [file = '', ...words] = [...wrapper, options.binary ?? buildShim('all'), ...serve]
    const mustSetUser = IS_ROOT && options.isUserSetByWrapper !== true
    return spawn(file, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TMPDIR: this.homes,
        OUTRIGGER_TEST: this.mark,
        ...environment,
      },
      cwd: options.cwd ?? '/',
      ...(mustSetUser ? { uid: this.uid, gid: this.uid } : {}),
    })
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  get pipes(): string {
    return join(this.dir, 'pipes')
  }

  /** Where the shim makes its children's private directories. */
  get homes(): string {
    return join(this.dir, 'homes')
  }

  /** What the shim and, through it, its children said on stderr. */
  get log(): string {
    return Buffer.concat(this.output).toString('latin1')
  }

  /** Makes the pipes folder and listens, as the sidecar's user. */
  listen(): void {
    this.asSidecar(() => {
      mkdirSync(this.pipes, { recursive: true })
      chmodSync(this.pipes, 0o1733)
      const path = join(this.dir, 'control')
      this.server = createServer((socket) => this.accept(new Connection(socket, this.pipes)))
      this.server.listen(path)
      chmodSync(path, 0o666)
    })
  }

  /** Stops listening; the socket's name goes with it. */
  stopListening(): void {
    this.asSidecar(() => this.server?.close())
    this.server = undefined
  }

  /** Does something as the sidecar's user. Never across an await: the user is this process's. */
  asSidecar<T>(action: () => T): T {
    return asUser(this.sidecarUid, action)
  }

  private accept(connection: Connection): void {
    this.connections.push(connection)
    if (this.isOver) connection.close()
    const taker = this.takers.shift()
    if (taker) taker(connection)
    else this.accepted.push(connection)
  }

  /** The shim's next connection. */
  connection(): Promise<Connection> {
    const waiting = this.accepted.shift()
    if (waiting) return Promise.resolve(waiting)
    const coming = new Promise<Connection>((resolve) => this.takers.push(resolve))
    return within(coming, () => `a connection; log: ${this.log}`)
  }

  /** The shim's next connection, greeted. */
  async ready(): Promise<Connection> {
    const connection = await this.connection()
    await connection.hello()
    return connection
  }

  /** Waits until nothing runs that removes what others have left, be it killed shims or children of a connection before. */
  async alone(shim = this.pid): Promise<void> {
    await until(() => childrenOf(shim).length === 0, 'the shim has no child')
  }

  exit(): Promise<Exit> {
    return within(this.exited, () => `the shim's exit; log: ${this.log}`)
  }

  /** The processes that come from this shim, itself included. Only root can read a shim's environment. */
  processes(): number[] {
    const marked = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(this.mark))
      .map(Number)
    return [...new Set([...familyOf(this.pid), ...marked])]
  }

  /** Ends the shim in good order, and checks that it leaves nothing: no process, no file. */
  async close(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    const last = this.connections.at(-1)
    if (last?.isUsable === true) last.send('exit', { code: 0 })
    else this.process.kill('SIGTERM')
    if (last?.isUsable !== true) last?.close()
    await this.exit()
    await until(() => this.processes().length === 0, 'no process of the shim is left')
    const litter = readdirSync(this.homes)
    this.cleanUp()
    if (litter.length > 0) throw new Error(`the shim left ${litter.join()} behind`)
    if (SANITIZER.test(this.log)) throw new Error(`a sanitizer complained: ${this.log}`)
  }

  /** Kills the shim, and checks that no process is left. */
  async destroy(): Promise<void> {
    this.isOver = true
    this.process.kill('SIGKILL')
    await this.exit()
    await until(() => this.processes().length === 0, 'no process of the shim is left')
    this.cleanUp()
  }

  private cleanUp(): void {
    for (const connection of this.connections) connection.close()
    this.stopListening()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

// Empty where the process has gone, or is none of ours to read.
const environmentOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}
