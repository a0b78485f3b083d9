// Replaces values in a message's text at known places and leaves every other byte as it is.
// Pure. Places come from the scan, never from a search.

import type { Span } from '../json/scan.ts'

/** A place and the JSON text that is to stand there. */
export interface Edit extends Span {
  readonly text: string
}

/** As they nearly always come: then nothing is made for their order. */
const isInOrder = (edits: readonly Edit[]): boolean => {
  let position = 0
  for (const { start } of edits) {
    if (start < position) return false
    position = start
  }
  return true
}

/** The text with edits made; their places must not overlap. */
export const rewrite = (text: string, edits: readonly Edit[]): string => {
  const [only] = edits
  if (edits.length === 1 && only)
    return text.slice(0, only.start) + only.text + text.slice(only.end)
  let result = ''
  let position = 0
  const ordered = isInOrder(edits) ? edits : edits.toSorted((a, b) => a.start - b.start)
  for (const edit of ordered) {
    result += text.slice(position, edit.start) + edit.text
    position = edit.end
  }
  return result + text.slice(position)
}
