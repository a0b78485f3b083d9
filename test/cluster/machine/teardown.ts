// Takes a cluster away: its holder and helpers by their recorded names, its cgroups, its files.
// It ends no process that the state file does not name, save those in cgroups of our own making.

import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupsOf } from './cgroup.ts'
import { endProcess } from '../../support/end-process.ts'
import { isAlive, bootId, type ProcessName } from './proc.ts'
import { clusterIds, directoryOf, isLiving, readState } from './state.ts'
import { waitFor } from './waiting.ts'

const kill = (name: ProcessName): void => {
  if (isAlive(name)) endProcess(name.pid)
}

const procsIn = (cgroup: string): readonly number[] =>
  readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)

/** Removes a cgroup and those below it, once nothing lives there. */
const removeCgroup = async (cgroup: string): Promise<void> => {
  for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(join(cgroup, entry.name))
  }
  await waitFor(`${cgroup} to be empty`, async () =>
    procsIn(cgroup).length === 0 ? true : undefined,
  )
  rmdirSync(cgroup)
}

/** Ends a cluster and removes all that it had. */
export const takeDown = async (id: string): Promise<void> => {
  const state = readState(id)
  if (state !== undefined && state.bootId === bootId()) {
    const names = [...(state.holder ? [state.holder] : []), ...state.outside]
    names.forEach(kill)
    await waitFor(`processes of cluster ${id} to end`, async () =>
      names.some(isAlive) ? undefined : true,
    )
  }
  for (const cgroup of cgroupsOf(id)) await removeCgroup(cgroup)
  rmSync(directoryOf(id), { recursive: true, force: true, maxRetries: 5 })
}

/** Removes what killed runs left; gives their names. */
export const removeLeftovers = async (): Promise<readonly string[]> => {
  const dead = clusterIds().filter((id) => {
    const state = readState(id)
    return state === undefined || !isLiving(state)
  })
  for (const id of dead) await takeDown(id)
  return dead
}
