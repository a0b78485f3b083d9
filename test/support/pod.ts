// Sidecar and shim as two containers of a pod would run them: two processes and a directory between
// them. Either can be ended and started again.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { CONFIG_VARIABLE } from '../../shared/names.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import { adminOf, type Admin } from './admin.ts'
import { freePort } from './free-port.ts'
import type { MemoryGroup } from './memory-group.ts'
import { removeFolder } from './remove-folder.ts'
import { startProgram, type Running } from './running.ts'
import { until } from './waiting.ts'

const SIDECAR = fileURLToPath(new URL('../../sidecar/main.ts', import.meta.url))
const SHIM = fileURLToPath(new URL('../../dist/shim', import.meta.url))

export type Sidecar = Running & { readonly url: string; readonly admin: Admin }

const isAnswering = async (admin: Admin, path: string): Promise<boolean> => {
  try {
    return (await admin.get(path)).status === 200
  } catch {
    return false
  }
}

/** The sidecar alone; it is started when it listens. */
export const startSidecarProgram = async (document: SidecarDocument): Promise<Sidecar> => {
  const [port, adminPort] = [await freePort(), await freePort()]
  const admin = adminOf(adminPort)
  const whole: SidecarDocument = {
    host: '127.0.0.1',
    port,
    adminPort,
    isolation: 'advisory',
    ...document,
    settings: { auth: 'none', ...document.settings },
  }
  const running = await startProgram({
    command: process.execPath,
    args: [SIDECAR],
    env: { [CONFIG_VARIABLE]: JSON.stringify(whole) },
    ready: () => isAnswering(admin, '/startupz'),
  })
  return { ...running, url: `http://127.0.0.1:${whole.port}/mcp`, admin }
}

export type ContainerOptions = {
  /** For how many seconds it goes on after SIGTERM. */
  readonly grace?: number
  /** Further flags of the shim's. */
  readonly more?: readonly string[]
  /** What it belongs to from its first moment on. */
  readonly group?: MemoryGroup | undefined
}

const inGroup = ({ procs }: MemoryGroup, command: readonly string[]): readonly string[] => [
  'sh',
  '-c',
  'echo $$ >"$0" && exec "$@"',
  procs,
  ...command,
]

/** The first process of the server's container. */
export class Container {
  readonly exited: Promise<number>
  private readonly child: ChildProcess

  constructor(
    runDir: string,
    command: readonly string[],
    { grace = 12, more = [], group }: ContainerOptions = {},
  ) {
    const flags = ['--run', runDir, '--keep-home', '--grace', `${grace}`, ...more]
    const shim = [SHIM, 'serve', ...flags, '--', ...command]
    const [program = '', ...args] = group === undefined ? shim : inGroup(group, shim)
    // What is killed leaves its own folder behind, as a container's goes with the container.
    const env = { ...process.env, TMPDIR: runDir }
    this.child = spawn(program, args, { stdio: 'ignore', env })
    this.exited = once(this.child, 'exit').then(([code]: (number | null)[]) => code ?? -1)
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }
}

export type Pod = Sidecar & {
  readonly container: Container
  /** Starts the server's container again. */
  readonly restart: () => Container
  /** Waits until calls can be served. */
  readonly served: () => Promise<void>
}

export const startPod = async (
  command: readonly string[],
  document: SidecarDocument = {},
): Promise<Pod> => {
  const runDir = mkdtempSync(join(tmpdir(), 'outrigger-pod-'))
  const sidecar = await startSidecarProgram({ ...document, runDir })
  const containers: Container[] = []
  const restart = (): Container => {
    const container = new Container(runDir, command)
    containers.push(container)
    return container
  }
  const stop = async (): Promise<void> => {
    for (const container of containers) container.signal('SIGKILL')
    await Promise.all(containers.map(({ exited }) => exited))
    sidecar.kill()
    await sidecar.stop()
    await removeFolder(runDir)
  }
  const served = async (): Promise<void> =>
    void (await until(() => isAnswering(sidecar.admin, '/readyz'), 'calls can be served'))
  return { ...sidecar, container: restart(), restart, served, stop }
}
