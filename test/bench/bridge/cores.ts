// Which core of the machine runs whom while two bridges are compared. Where the scheduler puts a bridge beside
// its callers is worth a tenth, at random from one window to the next: so the bridge has one core, and callers and
// children another.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What is written before a command line, for it to run on a core of its own; empty: on any. */
export type Cores = { readonly bridge: readonly string[]; readonly others: readonly string[] }

export const ANY_CORE: Cores = { bridge: [], others: [] }

/** The numbers in a list as the kernel writes it: '0-2,5'. */
export const coresIn = (list: string): readonly number[] =>
  list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })

const TASKSET = '/usr/bin/taskset'

/** Two cores that this process may use; any where it has but one, or the system lacks taskset. */
export const coresApart = (): Cores => {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  const [first, second] = coresIn(allowed?.[1] ?? '')
  const isThere = spawnSync(TASKSET, ['--version']).status === 0
  if (first === undefined || second === undefined || !isThere) return ANY_CORE
  const on = (core: number): readonly string[] => [TASKSET, '--cpu-list', String(core)]
  return { bridge: on(first), others: on(second) }
}

/** For the report's head. */
export const describeCores = ({ bridge, others }: Cores): string =>
  bridge.length === 0
    ? 'nobody has a core of their own (one core, or no taskset): the figures spread'
    : `bridges on core ${bridge.at(-1)}, callers and children on core ${others.at(-1)}`
