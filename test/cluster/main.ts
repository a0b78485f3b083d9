// The cluster tier's commands: up, down and status for people, test for the tests. Reads argv and
// the environment, owns signals and the exit code, and decides nothing else.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../../shared/message.ts'
import { installCheckout } from './checkout.ts'
import { bringUp, growFull } from './cluster.ts'
import { clusterIds, directoryOf, isLiving, readState, writeState } from './machine/state.ts'
import { removeLeftovers, takeDown } from './machine/teardown.ts'
import type { Sources } from './parts/binaries.ts'
import { missingTools, type Size } from './parts/host-tools.ts'
import { enforcePolicies } from './policy/enforcer.ts'
import { testCluster } from './test-run.ts'

const USAGE = `usage: npm run cluster -- up [--full | --outrigger] | down [ID] | status
       npm run test:cluster [-- JEST ARGS]`

const say = (line: string): void => {
  process.stderr.write(`cluster: ${line}\n`)
}

const searchPath = process.env['PATH'] ?? ''

const sources: Sources = {
  assets: process.env['KUBEBUILDER_ASSETS'],
  cache: join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'outrigger'),
  searchPath,
  say,
}

/** Why a size cannot run here, a sentence each; empty where it can. */
const obstacles = (size: Size): readonly string[] => [
  ...(process.platform === 'linux' ? [] : ['a cluster of our own needs Linux']),
  ...(process.getuid?.() === 0 ? [] : ['a cluster of our own needs root (namespaces, mounts)']),
  ...missingTools(size, searchPath),
]

const exportLine = (id: string): string =>
  `export KUBECONFIG=${join(directoryOf(id), 'kubeconfig')}`

const status = (): void => {
  const states = clusterIds().map(readState)
  for (const state of states) {
    if (state === undefined) continue
    const versions = Object.entries(state.versions).map(([name, version]) => `${name} ${version}`)
    process.stdout.write(
      [
        `${state.id}: ${state.size}, ${isLiving(state) ? 'up' : 'dead (the next up removes it)'}`,
        `  versions: ${versions.join(', ')}`,
        `  API server: https://127.0.0.1:${state.port ?? '?'}`,
        `  ${exportLine(state.id)}`,
        '',
      ].join('\n'),
    )
  }
  if (states.length === 0) process.stdout.write('no cluster is up\n')
}

const WITH_OUTRIGGER =
  'makes a cluster with a node on this machine, and the images of this checkout: two minutes with the cache filled, 15 without'

const up = async (args: readonly string[]): Promise<number> => {
  const isWithOutrigger = args.includes('--outrigger')
  const size = isWithOutrigger || args.includes('--full') ? 'full' : 'control'
  const missing = obstacles(size)
  if (missing.length > 0) {
    missing.forEach(say)
    return 1
  }
  if (isWithOutrigger) say(WITH_OUTRIGGER)
  const dead = await removeLeftovers()
  if (dead.length > 0) say(`removed what a killed run left: ${dead.join(', ')}`)
  const began = performance.now()
  const cluster = await bringUp({ size, sources, dieWithUs: false })
  if (size === 'full') await growFull(cluster)
  if (isWithOutrigger) await installCheckout(cluster, sources)
  const state = readState(cluster.id)
  if (state !== undefined) {
    const { owner: _owner, ...released } = state
    writeState(released)
  }
  say(`${cluster.id} is up after ${((performance.now() - began) / 1000).toFixed(1)} s`)
  process.stdout.write(`${exportLine(cluster.id)}\n`)
  return 0
}

const down = async (id: string | undefined): Promise<number> => {
  const ids = clusterIds().filter((each) => {
    const owner = readState(each)?.owner
    return id === undefined ? owner === undefined : each === id
  })
  if (id !== undefined && ids.length === 0) {
    say(`no cluster ${id}; npm run cluster -- status lists them`)
    return 1
  }
  for (const each of ids) await takeDown(each)
  await removeLeftovers()
  say(ids.length === 0 ? 'no cluster is up' : `${ids.join(', ')} is down`)
  return 0
}

/** A first Ctrl-C or SIGTERM ends the tests and takes the cluster down. */
const test = async (jestArgs: readonly string[]): Promise<number> => {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => stop.abort())
  }
  return await testCluster({
    jestArgs,
    sources,
    kubeconfig: process.env['KUBECONFIG'],
    isCi: process.env['CI'] === 'true',
    obstacles,
    signal: stop.signal,
  })
}

const main = async ([command, ...args]: readonly string[]): Promise<number> => {
  switch (command) {
    case 'up':
      return await up(args)
    case 'down':
      return await down(args[0])
    case 'status':
      status()
      return 0
    // Not for people: the part of a full cluster that writes the node's rules.
    case 'enforce-policies':
      await enforcePolicies(args[0] ?? '', args[1] ?? '', say)
      return 1
    case 'test':
      return await test(args)
    case undefined:
    default:
      process.stderr.write(`${USAGE}\n`)
      return 2
  }
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  say(messageOf(error))
  return 1
})
