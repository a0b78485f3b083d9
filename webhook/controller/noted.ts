// What stands beside workloads and should not, as metrics count it and the log says it. Bounded.

import type { Log } from '../../shared/log.ts'

/** Workloads. */
const MAX_NOTED = 1000

export interface Note {
  /** Of the workload. */
  readonly key: string
  readonly places: readonly string[]
  readonly what: string
}

/** Notes what there is of a workload by now, in the place of what there was; each is logged once. */
export const note = (
  noted: Map<string, readonly string[]>,
  { key, places, what }: Note,
  log: Log,
): void => {
  const before = noted.get(key) ?? []
  noted.delete(key)
  if (places.length === 0 || noted.size >= MAX_NOTED) return
  noted.set(key, places)
  for (const object of places) {
    if (!before.includes(object)) log.warn(what, { object })
  }
}
