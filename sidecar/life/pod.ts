// What is told of the pod that a sidecar runs in; a machine that is none has nothing of it.

import { closeSync, openSync, readSync } from 'node:fs'
import { POD_FACTS, POD_IPS_VARIABLE, type PodFacts } from '../../shared/names.ts'
import { listenersIn, type Listener } from '../server/listeners.ts'

export interface Pod {
  /** Its own addresses, of one or both families. */
  readonly addresses: readonly string[]
  /** What listens in its network now. */
  readonly listeners: () => readonly Listener[]
  readonly facts: PodFacts
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']

/** Listening sockets come first in a table; whoever opens many connections must not keep us busy. */
const MAX_TABLE_BYTES = 64 * 1024

const readTable = (path: string): string => {
  const bytes = Buffer.alloc(MAX_TABLE_BYTES)
  const file = openSync(path, 'r')
  try {
    let length = 0
    for (let got = -1; got !== 0 && length < bytes.length; length += got) {
      got = readSync(file, bytes, length, bytes.length - length, null)
    }
    return bytes.toString('latin1', 0, length)
  } finally {
    closeSync(file)
  }
}

/** A kernel without IPv6 has one table only. */
const rowsOf = (path: string): readonly Listener[] => {
  try {
    return listenersIn(readTable(path))
  } catch {
    return []
  }
}

type Environment = Readonly<Record<string, string | undefined>>

const factsIn = (environment: Environment): PodFacts =>
  Object.fromEntries(
    POD_FACTS.flatMap(([fact, variable]) => {
      const text = environment[variable] ?? ''
      return text === '' ? [] : [[fact, text]]
    }),
  )

/** By the variables that the downward API fills. */
export const podOf = (environment: Environment): Pod => ({
  // As it writes `status.podIPs`.
  addresses: (environment[POD_IPS_VARIABLE] ?? '').split(',').filter((address) => address !== ''),
  listeners: () => TABLES.flatMap(rowsOf),
  facts: factsIn(environment),
})
