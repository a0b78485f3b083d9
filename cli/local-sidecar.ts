// A sidecar on this machine around a command: run directory, sidecar, shim, and their orderly end.
// `run` and `dev` use it. No process it starts outlives it: the shim ends everything when the sidecar goes.

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '../shared/log.ts'
import type { SidecarConfig } from '../shared/sidecar-config.ts'
import { startSidecar, type Sidecar } from '../sidecar/sidecar.ts'

const SHIM = fileURLToPath(new URL('../dist/shim', import.meta.url))
/** The shim needs moments; a child that cannot be ended at all must not hang the terminal. */
const SHIM_END_MS = 8000

export interface LocalServer {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly maxProcesses?: number
}

export interface LocalSidecar {
  readonly sidecar: Sidecar
  /** Resolves with a sentence when the shim has ended by itself. */
  readonly shimEnded: Promise<string>
  readonly close: () => Promise<void>
}

const runShim = (runDir: string, server: LocalServer): ChildProcess => {
  if (!existsSync(SHIM)) {
    throw new Error(`the shim is not built (${SHIM}): run "npm run build" in the checkout`)
  }
  const cap = server.maxProcesses === undefined ? [] : ['--max-processes', `${server.maxProcesses}`]
  return spawn(
    SHIM,
    ['serve', '--run', runDir, '--keep-home', '--once', ...cap, '--', ...server.command],
    {
      // A group of its own: Ctrl-C is ours to handle, in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: server.environment,
      ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
    },
  )
}

const ended = (shim: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    shim.once('error', (error) => resolve(`the shim cannot run: ${error.message}`))
    shim.once('exit', (code, signal) => resolve(`the shim ended (${signal ?? `code ${code}`})`))
  })

export const startLocalSidecar = async (
  config: SidecarConfig,
  server: LocalServer,
  log: Log,
): Promise<LocalSidecar> => {
  const runDir = mkdtempSync(join(tmpdir(), 'outrigger-'))
  const cleanUp = (): void => rmSync(runDir, { recursive: true, force: true })
  let sidecar: Sidecar
  try {
    sidecar = await startSidecar({
      config: { ...config, runDir },
      log,
      now: () => performance.now(),
    })
  } catch (error) {
    cleanUp()
    throw error
  }
  const close = async (shimEnded?: Promise<string>, shim?: ChildProcess): Promise<void> => {
    await sidecar.close()
    const timer = setTimeout(() => shim?.kill('SIGKILL'), SHIM_END_MS)
    await shimEnded
    clearTimeout(timer)
    cleanUp()
  }
  try {
    const shim = runShim(runDir, server)
    const shimEnded = ended(shim)
    return { sidecar, shimEnded, close: () => close(shimEnded, shim) }
  } catch (error) {
    await close()
    throw error
  }
}
