// What a change of one document's text is made with: the text as it was, what it says, and the edits so far.

import type { Json } from '../../../shared/json.ts'
import type { Kept } from './kept.ts'
import type { Edit } from './text-edit.ts'
import type { LinedText } from '../read/lined-text.ts'
import type { Tree } from '../read/tree.ts'
import type { BlockStyle } from './write.ts'

/**
 * `keep`: what the author wrote and has to go stays as a comment. `drop`: it is ours, and goes. `restore`: what was kept
 * comes back, and what is written anew is named.
 */
export type Mode = 'keep' | 'drop' | 'restore'

export interface Work {
  readonly lined: LinedText
  readonly mode: Mode
  /** CRLF where the document has it. */
  readonly lineEnd: string
  readonly style: BlockStyle
  /** In a pretty JSON document the space that one level adds, else undefined. */
  readonly jsonIndent: string | undefined
  readonly isJson: boolean
  /** Behind a comma and a colon of JSON. */
  readonly flowSpace: '' | ' '
  /** What each node of the tree says. */
  readonly values: ReadonlyMap<Tree, Json>
  /** Whether a node may change because of one elsewhere, or a comment may come back: then none is passed over. */
  readonly isLinked: boolean
  readonly kept: readonly Kept[]
  /** What each node that an anchor names will say; none where the anchor goes. */
  readonly settled: Map<Tree, Json>
  readonly edits: Edit[]
  /** Places of the author's text that goes and that no comment keeps. */
  readonly lost: number[]
  /** Edits whose text the author may have written otherwise. */
  readonly fresh: Edit[]
  /** Kept members that came back. */
  readonly restored: Set<Kept>
  /** What no edit can do, and where; the document is then written anew. */
  stuck: number | undefined
  /** Where a number would have to be written that may be another one's rounding. */
  inexact: number | undefined
}

export const edit = (work: Work, start: number, end: number, text: string): Edit => {
  const made = { start, end, text }
  work.edits.push(made)
  return made
}

/** The same with text of ours, which its author may have written otherwise. */
export const write = (work: Work, start: number, end: number, text: string): void => {
  const made = edit(work, start, end, text)
  if (work.mode === 'restore') work.fresh.push(made)
}
