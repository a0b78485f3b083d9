// A sidecar on this machine around a command: run directory, sidecar, shim, and their orderly end.
// `run` and `dev` use it. The shim ends everything when the sidecar goes, however it goes; a server without it (HTTP)
// is ended by `close` alone, and outlives a command that is killed.

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../../shared/error-code.ts'
import type { Log } from '../../shared/log.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { folderWords, listenWords, programWords } from '../output/system-words.ts'
import { processOf } from '../../sidecar/life/process.ts'
import type { SidecarParts } from '../../sidecar/core.ts'
import { startSidecar, type Sidecar } from '../../sidecar/sidecar.ts'

const inDist = (name: string): string =>
  fileURLToPath(new URL(`../../dist/${name}`, import.meta.url))
/** The package brings one for each architecture, a checkout has built its own. */
const SHIMS = [`shim-${process.arch}`, 'shim'].map(inDist)
/** How long a shim has to see by itself that the sidecar has gone: it has children to kill. */
const SHIM_ALONE_MS = 500
/** The shim needs moments; a child that cannot be ended at all must not hang the terminal. */
const SHIM_END_MS = 8000

/** What a server has reached, or tried to, as a record would tell it. */
export type OnReached = NonNullable<SidecarParts['onReached']>

export interface LocalServer {
  /** Hears of it where the configuration looks at that. */
  readonly onReached?: OnReached
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly maxProcesses?: number
  /** False for a server that speaks HTTP itself and is started as it is. */
  readonly usesShim?: boolean
}

export interface LocalLogs {
  readonly log: Log
  /** For what the server writes to stderr; absent: it goes to ours as it is. */
  readonly serverLog?: Log
}

export interface LocalSidecar {
  readonly sidecar: Sidecar
  /** Resolves with a sentence when the server's first process (the shim) has ended by itself. */
  readonly ended: Promise<string>
  readonly close: () => Promise<void>
}

/** The shim's command line around the server's, or the server's own. */
const commandLine = (runDir: string, server: LocalServer, isQuiet: boolean): readonly string[] => {
  if (server.usesShim === false) return server.command
  const shim = SHIMS.find((path) => existsSync(path))
  if (shim === undefined) {
    throw new Error(
      'the shim is not built, which starts servers: run "npm run build" in the checkout (Linux, a C compiler, make)',
    )
  }
  const cap = server.maxProcesses === undefined ? [] : ['--max-processes', `${server.maxProcesses}`]
  const flags = ['--run', runDir, '--keep-home', '--once', ...(isQuiet ? ['--quiet'] : []), ...cap]
  return [shim, 'serve', ...flags, '--', ...server.command]
}

const start = (runDir: string, server: LocalServer, isQuiet: boolean): ChildProcess => {
  const [program = '', ...args] = commandLine(runDir, server, isQuiet)
  return spawn(program, args, {
    // A group of its own: Ctrl-C is ours to handle, in order.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: server.environment,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
  })
}

const endOf = (first: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    first.once('error', (error) => resolve(`${first.spawnfile} cannot run: ${programWords(error)}`))
    first.once('exit', (code, signal) =>
      resolve(`${first.spawnfile} ended (${signal ?? `code ${code}`})`),
    )
  })

/** Ends a process group. */
const stop = (first: ChildProcess, signal: NodeJS.Signals): void => {
  try {
    if (first.pid !== undefined) process.kill(-first.pid, signal)
  } catch {
    // It has ended already.
  }
}

/** Why it cannot listen, and what helps. */
const withAdvice = (error: unknown, config: SidecarConfig): unknown => {
  const words = listenWords(error, config)
  return words === undefined ? error : new Error(words, { cause: error })
}

/** A directory of its own, for what sidecar and shim share. */
const makeRunDir = (): string => {
  try {
    return mkdtempSync(join(tmpdir(), 'outrigger-'))
  } catch (error) {
    throw new Error(`${tmpdir()}: ${folderWords(error)}; TMPDIR names another place`, {
      cause: error,
    })
  }
}

export const startLocalSidecar = async (
  config: SidecarConfig,
  server: LocalServer,
  logs: LocalLogs,
): Promise<LocalSidecar> => {
  const runDir = makeRunDir()
  const cleanUp = (): void => rmSync(runDir, { recursive: true, force: true })
  let sidecar: Sidecar
  try {
    sidecar = await startSidecar({
      config: { ...config, runDir },
      ...logs,
      now: () => performance.now(),
      wallMs: () => Date.now(),
      process: processOf(process, undefined),
      environment: server.environment,
      ...(server.onReached ? { onReached: server.onReached } : {}),
    })
  } catch (error) {
    cleanUp()
    throw withAdvice(error, config)
  }
  const close = async (ended?: Promise<string>, first?: ChildProcess): Promise<void> => {
    await sidecar.close()
    // A shim that was connected ends by itself; one that was not would look for the sidecar for a while.
    const termAfterMs = server.usesShim === false ? 0 : SHIM_ALONE_MS
    const term = setTimeout(() => first && stop(first, 'SIGTERM'), termAfterMs)
    const kill = setTimeout(() => first && stop(first, 'SIGKILL'), SHIM_END_MS)
    await ended
    clearTimeout(term)
    clearTimeout(kill)
    cleanUp()
  }
  try {
    const first = start(runDir, server, logs.serverLog !== undefined)
    const ended = endOf(first)
    return { sidecar, ended, close: () => close(ended, first) }
  } catch (error) {
    await close()
    if (codeOf(error) === '') throw error
    throw new Error(`the server cannot be started: ${programWords(error)}`, { cause: error })
  }
}
