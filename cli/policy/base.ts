// The base policy that `--base` names: a policy by itself, or the cluster configuration that holds one. Pure.

import { isObject } from '../../shared/json.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { BASE_PREFIX } from '../../shared/policy/narrowed.ts'
import { checkPolicy, readPolicy, type CheckedPolicy } from '../../shared/policy/policy.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { faultWords } from '../../shared/schema-words.ts'
import { readPlaced } from '../../shared/yaml-places.ts'
import { readWhole } from '../command/read-config.ts'

/** Only a cluster configuration has one of them, and each does. */
const MARKS = ['sidecar', 'floor'] as const

const isClusterConfig = (text: string): boolean => {
  const read = readPlaced(text)
  const value = read.ok ? read.value.value : undefined
  return isObject(value) && MARKS.some((mark) => Object.hasOwn(value, mark))
}

const fromClusterConfig = (text: string): Result<CheckedPolicy, readonly string[]> => {
  const config = readWhole(text)
  if (!config.ok) return config
  const { basePolicy } = config.value.floor
  if (basePolicy === undefined) return fail(['the cluster configuration has no floor.basePolicy'])
  const checked = checkPolicy(basePolicy, BASE_PREFIX)
  return checked.ok ? checked : fail(checked.error.map(faultWords))
}

export const readBase = (text: string): Result<CheckedPolicy, readonly string[]> => {
  if (isClusterConfig(text)) return fromClusterConfig(text)
  const read = readPolicy(text, BASE_PREFIX)
  return read.ok ? ok(read.value) : fail(read.error.map(placedWords))
}
