// The base policy of the cluster configuration, beyond its form: its conditions, its names, and whether it fits beside what
// else a sidecar is told. Pure.

import { BASE_PREFIX } from '../../shared/policy/narrowed.ts'
import { checkPolicy } from '../../shared/policy/policy.ts'
import type { SchemaFault } from '../../shared/schema-words.ts'
import type { Floor } from '../settings/floor.ts'

/** Of the 128 KiB that a sidecar can be told in all, half. */
const MAX_BASE_BYTES = 64 * 1024

const PATH = ['floor', 'basePolicy']

export const basePolicyFaults = ({ basePolicy }: Floor): readonly SchemaFault[] => {
  if (basePolicy === undefined) return []
  const checked = checkPolicy(basePolicy, BASE_PREFIX)
  const bytes = Buffer.byteLength(JSON.stringify(basePolicy))
  const tooLong = `takes ${bytes} bytes as JSON, and each pod bears it: make it at most ${MAX_BASE_BYTES}`
  return [
    ...(checked.ok
      ? []
      : checked.error.map(({ path, message }) => ({ path: [...PATH, ...path], message }))),
    ...(bytes > MAX_BASE_BYTES ? [{ path: PATH, message: tooLong }] : []),
  ]
}
