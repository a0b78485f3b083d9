// One run of the tier's tests: brings a cluster up (or takes the user's), runs the tests of each
// size, takes it down, and ends with one plain line of figures. What cannot run is skipped aloud.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { MADE_LABEL } from './api.ts'
import { bringUp, growFull, programOf, type Cluster } from './cluster.ts'
import { prepareImages } from './images/prepare.ts'
import { NODE_ADDRESS, onNetwork } from './machine/namespaces.ts'
import { startPart } from './machine/part.ts'
import { attempt, run, words } from './machine/run.ts'
import { removeLeftovers, takeDown } from './machine/teardown.ts'
import { waitFor } from './machine/waiting.ts'
import type { Sources } from './parts/binaries.ts'
import { freePort } from '../support/free-port.ts'
import type { Size } from './parts/host-tools.ts'
import { TARGET_VARIABLE, type Target } from './target.ts'

const SIZES = ['control', 'full'] as const

export interface TestRunOptions {
  readonly jestArgs: readonly string[]
  readonly sources: Sources
  /** The user's own cluster. */
  readonly kubeconfig: string | undefined
  /** Whether a skip of what must run on this kind of machine is a failure. */
  readonly isCi: boolean
  readonly obstacles: (size: Size) => readonly string[]
  readonly signal: AbortSignal
}

interface Figures {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
})

const NONE: Figures = { passed: 0, failed: 0, skipped: 0 }

const readFigures = (file: string): Figures => {
  try {
    const read = results.parse(JSON.parse(readFileSync(file, 'utf8')))
    return {
      passed: read.numPassedTests,
      // A suite that cannot be loaded counts as one failure: its tests never had the chance.
      failed: read.numFailedTests + read.numRuntimeErrorTestSuites,
      skipped: read.numPendingTests + read.numTodoTests,
    }
  } catch {
    // jest died before it could say anything.
    return { ...NONE, failed: 1 }
  }
}

const ended = (child: ChildProcess): Promise<number> =>
  new Promise((resolve) => {
    child.on('error', () => resolve(127))
    child.on('exit', (code) => resolve(code ?? 1))
  })

/** jest on the test files of one size. */
const jestLine = (size: Size): readonly string[] => [
  process.execPath,
  ...words('--experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js'),
  ...words('--selectProjects cluster --runInBand'),
  `--testPathIgnorePatterns=/test/cluster/${size === 'control' ? 'full' : 'control'}/`,
]

/** Whether the user's arguments leave any test of a size: a node for none would be a waste. */
const hasTests = async (size: Size, { jestArgs }: TestRunOptions): Promise<boolean> => {
  const listed = await attempt([...jestLine(size), '--listTests', ...jestArgs])
  return listed.code !== 0 || listed.stdout.includes(`/${size}/`)
}

/** Runs jest on the tests of one size; without a target every test is skipped. */
const runJest = async (
  size: Size,
  options: TestRunOptions,
  place: {
    readonly target?: Target
    readonly enter: (argv: readonly string[]) => readonly string[]
  },
): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-jest-'))
  const file = join(folder, 'results.json')
  const [command = '', ...args] = place.enter([
    'env',
    ...(place.target === undefined ? [] : [`${TARGET_VARIABLE}=${JSON.stringify(place.target)}`]),
    ...jestLine(size),
    ...words('--reporters=default --passWithNoTests --testTimeout=600000'),
    '--json',
    `--outputFile=${file}`,
    ...options.jestArgs,
  ])
  // jest prints its results on stdout too when asked for JSON; the file is enough.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = (): void => void child.kill('SIGTERM')
  options.signal.addEventListener('abort', stop, { once: true })
  await ended(child)
  options.signal.removeEventListener('abort', stop)
  const figures = readFigures(file)
  rmSync(folder, { recursive: true, force: true })
  return figures
}

const outside = (argv: readonly string[]): readonly string[] => argv

const proxyLine = (kubectl: string, kubeconfig: string, port: number): readonly string[] => [
  kubectl,
  '--kubeconfig',
  kubeconfig,
  ...words(`proxy --address=127.0.0.1 --port=${port} --reject-paths=^$`),
]

const isServed = (api: string) => async (): Promise<true | undefined> =>
  (await fetch(`${api}/version`)).ok ? true : undefined

/** Runs every size against the cluster of the user's KUBECONFIG. */
const runOnTheirs = async (kubeconfig: string, options: TestRunOptions): Promise<Figures[]> => {
  const port = await freePort()
  const [command = '', ...args] = proxyLine('kubectl', kubeconfig, port)
  const proxy = spawn(command, args, { stdio: 'ignore' })
  proxy.on('error', () => options.sources.say('kubectl is not on PATH'))
  try {
    const api = `http://127.0.0.1:${port}`
    await waitFor(`the cluster of KUBECONFIG (${kubeconfig})`, isServed(api), 30)
    const target: Target = {
      api,
      kubectl: 'kubectl',
      kubeconfig,
      size: 'full',
    }
    const all: Figures[] = []
    for (const size of SIZES) all.push(await runJest(size, options, { target, enter: outside }))
    return all
  } finally {
    proxy.kill()
  }
}

const targetOf = (cluster: Cluster, size: Size, cache: string): Target => ({
  api: 'http://127.0.0.1:8001',
  kubectl: programOf(cluster.binaries, 'kubectl'),
  kubeconfig: cluster.kubeconfig,
  size,
  own: {
    dir: cluster.dir,
    address: NODE_ADDRESS,
    cache,
    staticServer: cluster.binaries.get('mcp-server') ?? '',
    httpServer: cluster.binaries.get('mcp-http-server') ?? '',
    egressServer: cluster.binaries.get('egress-server') ?? '',
    helm: cluster.binaries.get('helm') ?? '',
  },
})

/** What the small tests left would be run as soon as there is a node. */
const removeTestNamespaces = async ({ machine, binaries, kubeconfig }: Cluster): Promise<void> => {
  const kubectl = [programOf(binaries, 'kubectl'), '--kubeconfig', kubeconfig]
  const remove = words(`delete namespaces --selector=${MADE_LABEL}=yes --timeout=120s`)
  await run(onNetwork(machine, [...kubectl, ...remove]))
}

/** Runs every size that this machine can carry on a cluster of our own. */
const runOnOurs = async (options: TestRunOptions): Promise<Figures[]> => {
  const { say } = options.sources
  const all: Figures[] = []
  const skip = async (size: Size, why: readonly string[]): Promise<void> => {
    why.forEach((line) => say(`skipping the ${size} tests: ${line}`))
    const skipped = await runJest(size, options, { enter: outside })
    all.push(options.isCi ? { ...skipped, failed: skipped.failed + 1 } : skipped)
  }
  const [control, full] = SIZES.map(options.obstacles)
  if (control !== undefined && control.length > 0) {
    for (const size of SIZES) await skip(size, control)
    return all
  }
  const canBeFull = full === undefined || full.length === 0
  await removeLeftovers()
  const began = performance.now()
  const after = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`
  const size = canBeFull ? 'full' : 'control'
  const cluster = await bringUp({ size, sources: options.sources, dieWithUs: true })
  try {
    say(`control plane of ${cluster.id} is up after ${after()}`)
    const kubectl = programOf(cluster.binaries, 'kubectl')
    const argv = proxyLine(kubectl, cluster.kubeconfig, 8001)
    startPart(cluster.machine, { name: 'kubectl-proxy', argv })
    const enter = (line: readonly string[]): readonly string[] => onNetwork(cluster.machine, line)
    all.push(
      await runJest('control', options, {
        target: targetOf(cluster, 'control', options.sources.cache),
        enter,
      }),
    )
    if (options.signal.aborted) return all
    if (!canBeFull) {
      await skip('full', full)
      return all
    }
    if (!(await hasTests('full', options))) return all
    await prepareImages(options.sources.cache)
    await removeTestNamespaces(cluster)
    await growFull(cluster)
    say(`node of ${cluster.id} is up after ${after()}`)
    all.push(
      await runJest('full', options, {
        target: targetOf(cluster, 'full', options.sources.cache),
        enter,
      }),
    )
    return all
  } finally {
    await takeDown(cluster.id)
  }
}

/** Runs the tier's tests; gives the exit code after printing the closing line. */
export const testCluster = async (options: TestRunOptions): Promise<number> => {
  const all =
    options.kubeconfig === undefined
      ? await runOnOurs(options)
      : await runOnTheirs(options.kubeconfig, options)
  const sum = (key: keyof Figures): number => all.reduce((total, each) => total + each[key], 0)
  process.stdout.write(
    `\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`,
  )
  return sum('failed') > 0 || options.signal.aborted ? 1 : 0
}
