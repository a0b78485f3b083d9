// How large a review is, from its bytes: what parsing it and judging it would cost is known before
// either begins, since a parser alone can be kept busy for longer than anybody waits. Pure.

import { at, isObject } from '../../shared/json.ts'
import { endOfString, extentOf, isClosing, isOpening, isQuote } from '../../shared/json-extent.ts'
import { MAX_DEPTH, MAX_VALUES } from '../inject/limits.ts'

// What a review has around its pod, and in its own members.
const MORE_VALUES = 2000
const MORE_DEPTH = 8
/**
 * An update carries the pod twice, and each time Kubernetes' own record of it: who has set which field, what has become of
 * each container. A pod that could be created must not be one that nobody can change any more.
 */
export const MAX_UPDATE_VALUES = 4 * MAX_VALUES

/** Which bound is passed first; undefined where none is. */
const passed = (bytes: Uint8Array, most: number): 'values' | 'depth' | undefined =>
  extentOf(bytes, { values: most + MORE_VALUES, depth: MAX_DEPTH + MORE_DEPTH }).passed

/** The document with whatever stands below a level left out: `{}` and `[]` in its place; its own is 1. */
const shallow = (bytes: Uint8Array, deepest: number): Uint8Array => {
  const parts: Uint8Array[] = []
  let [level, from] = [0, 0]
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]
    if (isQuote(byte)) index = endOfString(bytes, index)
    else if (isOpening(byte)) {
      level += 1
      if (level === deepest + 1) parts.push(bytes.subarray(from, index + 1))
    } else if (isClosing(byte)) {
      level -= 1
      if (level === deepest) from = index
    }
  }
  return Buffer.concat([...parts, bytes.subarray(from)])
}

// The request is the second level; who asks, and the names of what is asked for, are on the third.
const TELLING_LEVELS = [3, 2]

/** What a review says of itself, without its pod; undefined where that alone is too much. */
export const outlineOf = (bytes: Uint8Array): Uint8Array | undefined =>
  TELLING_LEVELS.map((level) => shallow(bytes, level)).find(
    (outline) => passed(outline, MAX_VALUES) === undefined,
  )

const isUpdate = (bytes: Uint8Array): boolean => {
  const outline = shallow(bytes, 2)
  try {
    const review: unknown = JSON.parse(Buffer.from(outline).toString('utf8'))
    return isObject(review) && at(review, 'request', 'operation') === 'UPDATE'
  } catch {
    return false
  }
}

/** Why the review cannot be judged in time, as the end of a sentence; undefined where it can. */
export const excess = (bytes: Uint8Array): string | undefined => {
  const first = passed(bytes, MAX_VALUES)
  const most = first === 'values' && isUpdate(bytes) ? MAX_UPDATE_VALUES : MAX_VALUES
  const bound = most === MAX_VALUES ? first : passed(bytes, most)
  if (bound === undefined) return undefined
  return bound === 'values'
    ? `holds more than ${most} values`
    : `is more than ${MAX_DEPTH} levels deep`
}
