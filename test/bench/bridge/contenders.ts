// The bridges that are compared, each started as its users start it, around the same echo server and
// under the same Node. What is charged to one is its own processes, never its children.

import { SIDECAR_ENVIRONMENT, SIDECAR_NODE_FLAGS } from '../../../sidecar/life/runtime.ts'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONFIG_VARIABLE } from '../../../shared/names.ts'
import type { SidecarDocument } from '../../../shared/sidecar-config.ts'
import { freePort } from '../../support/free-port.ts'
import { processTree } from '../../support/process-tree.ts'
import { startProgram, type Running } from '../../support/running.ts'
import { ANY_CORE, type Cores } from './cores.ts'
import type { Era } from './requests.ts'

export type Contender = {
  readonly name: string
  readonly url: string
  /** What every request to it bears. */
  readonly headers?: readonly string[]
  /** What its callers speak, where that is not what the cell says. */
  readonly era?: Era
  /** The bridge's own long-lived processes. */
  readonly pids: readonly number[]
  readonly stop: () => Promise<void>
}

/** What every contender of a bench is started with. */
export type Started = { readonly echo: string; readonly cores: Cores }

/** What starting our sidecar took, from the first process to the answers of its admin port. */
type StartTimes = { readonly listeningMs: number; readonly readyMs: number }
export type Sidecar = Contender & {
  readonly start: StartTimes
  readonly metrics: string
  /** Stops as a pod does, by SIGTERM. */
  readonly drain: () => Promise<void>
}

export type SidecarOptions = {
  /** The server's program, or its whole command. */
  readonly echo: string | readonly string[]
  readonly cores?: Cores
  /** Where sidecar.js and the shim are. */
  readonly dist: string
  readonly settings: Readonly<Record<string, string>>
  /** Where it listens; absent: 127.0.0.1. */
  readonly host?: string
  /** What is run in the place of its sidecar.js. */
  readonly program?: string
  /** Of the sidecar's document, besides. */
  readonly document?: SidecarDocument
  readonly memoryBytes?: number
  /** Of Node, beside the image's own. */
  readonly nodeFlags?: readonly string[]
  /** The cgroup.procs of a group that the sidecar alone is to be in. */
  readonly group?: string | undefined
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const MAX_PROCESSES = '1024'
const SPAWN_RATE = '10000'

const inRoot = (path: string): string => join(ROOT, path)
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** Compiles a server that is one C file and gives its path. */
export const compile = (source: string): string => {
  const directory = inRoot('build/bench')
  const binary = join(directory, basename(source, '.c'))
  mkdirSync(directory, { recursive: true })
  execFileSync('cc', ['-std=gnu11', '-O2', '-o', binary, source])
  return binary
}

export const buildEchoServer = (): string => compile(here('./echo-server.c'))

/** What this checkout builds. */
export const OUR_DIST = inRoot('dist')

/** The bundles of another build: a checkout that has been built, or its dist/. */
export const distOf = (directory: string): string => {
  const places = [join(resolve(directory), 'dist'), resolve(directory)]
  const dist = places.find((place) => existsSync(join(place, 'sidecar.js')))
  if (dist === undefined) {
    throw new Error(
      `--against ${directory}: no sidecar.js there nor in its dist/; run npm ci in that checkout`,
    )
  }
  return dist
}

/** Builds dist/ as the images get it. */
export const buildSidecar = (): void => {
  execFileSync(process.execPath, [inRoot('build.ts')], { cwd: ROOT, stdio: 'inherit' })
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}

const binary = (name: string): string => {
  const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
  const { bin } = createRequire(import.meta.url)(manifest)
  return join(dirname(manifest), bin[name])
}

const contender = (name: string, url: string, running: Running): Contender => ({
  name,
  url,
  pids: [running.pid],
  stop: running.stop,
})

const split = (line: readonly string[]): { command: string; args: readonly string[] } => {
  const [command = '', ...args] = line
  return { command, args }
}

/** The bare node:http bridge. */
export const startFloor = async (
  { echo, cores }: Started,
  flags: readonly string[],
): Promise<Contender> => {
  const floor = [process.execPath, here('./floor.ts'), ...flags, '--']
  const running = await startProgram({
    ...split([...cores.bridge, ...floor, ...cores.others, echo]),
    ready: /^floor: listening on (\S+)$/m,
  })
  return contender('floor', running.ready, running)
}

/** The same under our shim, which holds it on loopback. */
export const startHeldFloor = async ({ echo, cores }: Started): Promise<Contender> => {
  const shim = [join(OUR_DIST, 'shim'), 'exec', '--loopback', '--']
  const floor = [process.execPath, here('./floor.ts'), '--any', '--']
  const running = await startProgram({
    ...split([...cores.bridge, ...shim, ...floor, ...cores.others, echo]),
    ready: /^floor: listening on (\S+)$/m,
  })
  return {
    ...contender('held floor', running.ready, running),
    pids: processTree(running.pid).map(({ pid }) => pid),
  }
}

/** supergateway with one child a session. */
export const startSupergateway = async ({ echo, cores }: Started): Promise<Contender> => {
  const port = await freePort()
  const flags = `--outputTransport streamableHttp --stateful --logLevel none --port ${port}`
  const program = [process.execPath, binary('supergateway'), ...flags.split(' '), '--stdio']
  const running = await startProgram({
    ...split([...cores.bridge, ...program, [...cores.others, echo].join(' ')]),
    ready: () => accepts(port),
  })
  return contender('supergateway', `http://127.0.0.1:${port}/mcp`, running)
}

/** mcp-proxy as it is by default, without its SSE endpoint. */
export const startMcpProxy = async ({ echo, cores }: Started): Promise<Contender> => {
  const port = await freePort()
  const flags = `--server stream --host 127.0.0.1 --port ${port}`
  const program = [process.execPath, binary('mcp-proxy'), ...flags.split(' '), '--']
  const running = await startProgram({
    ...split([...cores.bridge, ...program, ...cores.others, echo]),
    ready: () => accepts(port),
  })
  return contender('mcp-proxy', `http://127.0.0.1:${port}/mcp`, running)
}

const startShim = (
  { echo, dist, cores = ANY_CORE }: SidecarOptions,
  runDir: string,
  isReady: () => Promise<boolean>,
): Promise<Running> => {
  const limits = `--max-processes ${MAX_PROCESSES} --spawn-rate ${SPAWN_RATE} --keep-home`
  return startProgram({
    command: join(dist, 'shim'),
    args: ['serve', '--run', runDir, ...limits.split(' '), '--', ...cores.others, ...[echo].flat()],
    ready: isReady,
  })
}

const startPair = async (options: SidecarOptions, runDir: string): Promise<Sidecar> => {
  const { dist, settings, memoryBytes, group, cores = ANY_CORE, nodeFlags = [] } = options
  const { host = '127.0.0.1' } = options
  const [port, adminPort] = [await freePort(), await freePort()]
  const admin = `http://${host}:${adminPort}`
  const document: SidecarDocument = {
    settings: { auth: 'none', 'max-processes': MAX_PROCESSES, 'log-level': 'warn', ...settings },
    host,
    port,
    adminPort,
    runDir,
    binDir: runDir,
    isolation: 'advisory',
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...options.document,
  }
  const inGroup = group === undefined ? [] : ['sh', '-c', 'echo $$ > "$0" && exec "$@"', group]
  const { program = join(dist, 'sidecar.js') } = options
  const node = [process.execPath, ...SIDECAR_NODE_FLAGS, ...nodeFlags, program]
  const startedAt = performance.now()
  const sidecar = await startProgram({
    ...split([...cores.bridge, ...inGroup, ...node]),
    env: {
      ...SIDECAR_ENVIRONMENT,
      [CONFIG_VARIABLE]: JSON.stringify(document),
    },
    ready: () => answers(`${admin}/livez`),
  })
  const listeningMs = performance.now() - startedAt
  const shim = await startShim(options, runDir, () => answers(`${admin}/readyz`)).catch(
    async (error: unknown) => {
      await sidecar.stop()
      throw new Error(`the sidecar never became ready; its stderr: ${sidecar.stderr()}`, {
        cause: error,
      })
    },
  )
  const end = async (): Promise<void> => {
    await Promise.all([shim.stop(), sidecar.stop()])
    rmSync(runDir, { recursive: true, force: true })
  }
  return {
    name: 'outrigger',
    url: `http://${host}:${port}/mcp`,
    pids: [sidecar.pid, shim.pid],
    metrics: `${admin}/metrics`,
    start: { listeningMs, readyMs: performance.now() - startedAt },
    stop: async () => {
      // It would drain for seconds, and nobody calls any more.
      sidecar.kill()
      await end()
    },
    drain: end,
  }
}

/** A build's sidecar and shim as two containers of a pod would run them, under this checkout's Node and flags. */
export const startSidecar = async (options: SidecarOptions): Promise<Sidecar> => {
  const runDir = mkdtempSync(join(tmpdir(), 'outrigger-bench-'))
  try {
    return await startPair(options, runDir)
  } catch (error) {
    rmSync(runDir, { recursive: true, force: true })
    throw error
  }
}
