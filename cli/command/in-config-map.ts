// A document of ours that somebody hands over as they apply it: in the manifest of the ConfigMap that brings it to a pod.

import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { readPlaced } from '../../shared/yaml-places.ts'

export interface Inner {
  readonly text: string
  /** Where it stands, before what is wrong with it: nothing, or the place in the manifest. */
  readonly where: string
}

/** None of our documents has it, and each manifest. */
const MARK = 'kind'
const MAX_NAMES = 8

/** Under the key, or the only one. */
const textIn = (data: JsonObject, key: string): Result<Inner, string> => {
  const names = Object.keys(data)
  const name = Object.hasOwn(data, key) || names.length !== 1 ? key : (names[0] ?? key)
  const text = stringAt(data, name)
  if (text !== undefined) return ok({ text, where: `data.${name}: ` })
  const there = names.length === 0 ? '' : `; there are ${names.slice(0, MAX_NAMES).join(', ')}`
  return fail(`it is a ConfigMap whose data has no text ${key}: put the document there${there}`)
}

/** The document itself; what is no manifest is taken for one. `key` is that of the ConfigMaps that pods name. */
export const inConfigMap = (text: string, key: string): Result<Inner, string> => {
  const read = text.includes(MARK) ? readPlaced(text) : undefined
  const value = read?.ok ? read.value.value : undefined
  const kind = isObject(value) ? stringAt(value, MARK) : undefined
  if (!isObject(value) || kind === undefined) return ok({ text, where: '' })
  return kind === 'ConfigMap'
    ? textIn(objectAt(value, 'data'), key)
    : fail(`it is a ${kind}: hand over the document itself, or the ConfigMap that holds it`)
}
