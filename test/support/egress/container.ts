// A container's processes in the arena's pod, as the server's user, with a PID namespace of its own: whatever is started in it
// goes with its first process.

import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { endProcess } from '../end-process.ts'
import { childrenOf } from '../proc.ts'
import { SERVER_UID } from '../users.ts'
import { until } from '../waiting.ts'
import type { TwoHosts } from './two-hosts.ts'

const PID_NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
/** Only what hangs for good gets so far. */
const TRY_MS = 60_000

/** Nothing of the user's who runs the tests: their programs may be where nobody else gets at them. */
export const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/' }

export interface ContainerOptions {
  readonly hosts: TwoHosts
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** As the name of `setpriv` has it; none unless said. */
  readonly capability?: string
}

export class Container {
  private readonly options: ContainerOptions
  private readonly process: ChildProcess
  /** What it has said on stderr. */
  log = ''

  constructor(options: ContainerOptions) {
    this.options = options
    const { hosts, command, environment } = options
    const [file = '', ...words] = [...hosts.inPod, ...PID_NAMESPACE, ...this.become, ...command]
    this.process = spawn(file, words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...ENVIRONMENT, TMPDIR: hosts.folder, ...environment },
    })
    this.process.stderr?.on('data', (bytes: Buffer) => (this.log += bytes.toString()))
  }

  private get become(): readonly string[] {
    const { capability } = this.options
    const kept =
      capability === undefined ? [] : [`--inh-caps=+${capability}`, `--ambient-caps=+${capability}`]
    return [
      'setpriv',
      '--pdeathsig',
      'KILL',
      `--reuid=${SERVER_UID}`,
      `--regid=${SERVER_UID}`,
      '--clear-groups',
      ...kept,
    ]
  }

  /** Its first process, by its number outside. */
  first(): Promise<number> {
    return until(() => childrenOf(this.process.pid ?? 0)[0], `the container runs; ${this.log}`)
  }

  /** The words that run what follows in it, as the runtime does: beside the command, under none of its confinement. */
  async beside(): Promise<readonly string[]> {
    const first = await this.first()
    return [
      ...this.options.hosts.inPod,
      'nsenter',
      `--target=${first}`,
      '--pid',
      '--mount',
      ...this.become,
    ]
  }

  /** What a program says that is run so, to its end. */
  async run(command: readonly string[]): Promise<string> {
    const [file = '', ...words] = [...(await this.beside()), ...command]
    return new Promise((resolve) => {
      execFile(file, words, { timeout: TRY_MS, env: ENVIRONMENT }, (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`),
      )
    })
  }

  /** Stops its first process, and has it go on: meanwhile it lives, and does nothing. */
  async pause(): Promise<void> {
    process.kill(await this.first(), 'SIGSTOP')
  }

  async resume(): Promise<void> {
    process.kill(await this.first(), 'SIGCONT')
  }

  async close(): Promise<void> {
    const { process: container } = this
    if (container.exitCode !== null || container.signalCode !== null) return
    const gone = once(container, 'exit')
    endProcess(await this.first())
    await gone
  }
}
