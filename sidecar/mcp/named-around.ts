// Which request of ours a text names by its first and last members, where what stands between cannot be read. Pure. Only a
// text that has a result or an error counts: who quotes a request, or logs, answers nothing.

import { MAX_ID_LENGTH } from './message.ts'

/** The first and the last of a text, in which those members stand. */
const PART_BYTES = 1024

const ID = `"[^"\\\\\\0-\\x1f]{1,${MAX_ID_LENGTH - 2}}"|\\d[\\d.eE+-]{0,${MAX_ID_LENGTH - 1}}`
const SCALAR = '(?:"(?:[^"\\\\]|\\\\.){0,256}"|-?\\d[\\d.eE+-]{0,255}|true|false|null)'
/** An id before anything that has members of its own. */
const AT_FRONT = new RegExp(
  `^\\s*[{[]{0,2}(?:[^{]|\\{(?!\\s*")){0,512}?"id"\\s*:\\s*(${ID})\\s*[,}]`,
)
/** An id, and behind it members with simple values until the end. */
const AT_END = new RegExp(
  `"id"\\s*:\\s*(${ID})\\s*(?:,\\s*"\\w{1,64}"\\s*:\\s*${SCALAR}\\s*){0,8}[}\\]]{1,2}\\s*$`,
)
/** An id beside what stands beside it in few objects but answers. */
const BESIDE = [
  new RegExp(`"jsonrpc"\\s*:\\s*"2.0"\\s*,\\s*"id"\\s*:\\s*(${ID})\\s*[,}]`),
  new RegExp(`"id"\\s*:\\s*(${ID})\\s*,\\s*"(?:jsonrpc|result|error)"\\s*:`),
]
const ANSWER = /"(?:result|error)"/

/** Whether a text says that it is an answer. */
export const isAnswering = (text: string): boolean =>
  ANSWER.test(text.slice(0, PART_BYTES)) || ANSWER.test(text.slice(-PART_BYTES))

/** By its end alone. */
export const namedAtEnd = (text: string): readonly string[] =>
  named([AT_END], text.slice(-PART_BYTES))

export const namedAround = (text: string): readonly string[] => {
  if (!isAnswering(text)) return []
  const [front, end] = [text.slice(0, PART_BYTES), text.slice(-PART_BYTES)]
  for (const found of [namedAtEnd(text), named([AT_FRONT, ...BESIDE], front), named(BESIDE, end)]) {
    if (found.length > 0) return found
  }
  return []
}

/** What the first of the patterns finds that finds anything. */
const named = (patterns: readonly RegExp[], text: string): readonly string[] => {
  for (const pattern of patterns) {
    const id = pattern.exec(text)?.[1]
    if (id !== undefined) return [id]
  }
  return []
}
