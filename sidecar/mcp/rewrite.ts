// Replaces values in a message's text at known places and leaves every other byte as it is.
// Pure. Places come from the scan, never from a search.

import type { Span } from '../json/scan.ts'
import type { Request } from './message.ts'

/** A place and the JSON text that is to stand there. */
export interface Edit extends Span {
  readonly text: string
}

/** A request and what is to stand otherwise in its text; its members are those that it has then. */
export interface Edited {
  readonly request: Request
  readonly edits: readonly Edit[]
}

export const NO_EDITS: readonly Edit[] = []

/** What is inserted where something is replaced stands in front of that. */
const inOrder = (one: Span, other: Span): number => one.start - other.start || one.end - other.end

/** As they nearly always come: then nothing is made for their order. */
const isInOrder = (edits: readonly Edit[]): boolean => {
  let before: Span | undefined
  for (const edit of edits) {
    if (before && inOrder(before, edit) > 0) return false
    before = edit
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
  const ordered = isInOrder(edits) ? edits : edits.toSorted(inOrder)
  for (const edit of ordered) {
    result += text.slice(position, edit.start) + edit.text
    position = edit.end
  }
  return result + text.slice(position)
}
