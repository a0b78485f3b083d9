// The state file of each cluster on this machine: who it is, which process holds it, what people
// need to use it. Written before anything is started that would outlive us, so that whoever comes
// next can tell a living cluster from what a killed run left.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { bootId, isAlive } from './proc.ts'

const name = z.object({ pid: z.number().int().positive(), startTicks: z.number().int() })

const schema = z.object({
  id: z.string(),
  size: z.enum(['control', 'full']),
  bootId: z.string(),
  /** Holds the cluster's namespaces: with it everything in them ends. */
  holder: name.optional(),
  /** The process without which the cluster has no purpose: a test run, or an `up` under way. */
  owner: name.optional(),
  /** Helpers outside the namespaces. */
  outside: z.array(name),
  port: z.number().int().optional(),
  versions: z.record(z.string(), z.string()),
})

export type State = z.output<typeof schema>

/** Where every cluster of this machine has its directory. */
export const CLUSTERS = join(tmpdir(), 'outrigger-clusters')

export const directoryOf = (id: string): string => join(CLUSTERS, id)

const fileOf = (id: string): string => join(directoryOf(id), 'state.json')

/** Makes a new cluster's directory, never seen by others without its state. */
export const createState = (state: State): void => {
  const unfinished = join(CLUSTERS, `.${state.id}`)
  mkdirSync(unfinished, { recursive: true })
  writeFileSync(join(unfinished, 'state.json'), JSON.stringify(state, undefined, 2))
  renameSync(unfinished, directoryOf(state.id))
}

/** Puts the state on disk in one step. */
export const writeState = (state: State): void => {
  const file = fileOf(state.id)
  writeFileSync(`${file}.new`, JSON.stringify(state, undefined, 2))
  renameSync(`${file}.new`, file)
}

/** The state of one cluster; undefined where it has none that can be read. */
export const readState = (id: string): State | undefined => {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(id), 'utf8')))
  } catch {
    return undefined
  }
}

/** The names of all clusters that have a directory, living or not. */
export const clusterIds = (): readonly string[] => {
  try {
    return readdirSync(CLUSTERS).filter((entry) => !entry.startsWith('.'))
  } catch {
    return []
  }
}

/** Whether a cluster is wanted and not broken: its owner lives, and its holder where it has one. */
export const isLiving = (state: State): boolean =>
  state.bootId === bootId() &&
  (state.owner === undefined || isAlive(state.owner)) &&
  (state.holder === undefined ? state.owner !== undefined : isAlive(state.holder))
