// A document's text after it has come to say something else. Every byte that can stay stays, and what is printed has been
// read again: where no edits lead to what it is to say, the document is written anew. Pure.

import { fail, ok, type Result } from '../../../shared/result.ts'
import { isSame, type Json, type JsonObject } from '../../../shared/json.ts'
import { oddBreakIn } from '../read/characters.ts'
import { readDocument, type ManifestDocument } from '../read/document.ts'
import type { Fault } from '../read/tree.ts'
import { documentStyle } from './document-style.ts'
import { isSameButEmpty, isSameButNull } from './empty.ts'
import { keptIn, type Kept } from './kept.ts'
import { settle } from './settle.ts'
import { applyEdits } from './text-edit.ts'
import type { LinedText } from '../read/lined-text.ts'
import type { Mode, Work } from './work.ts'
import { documentLines, isExact } from './write.ts'

export interface Changed {
  readonly text: string
  /** Places in the manifest of what its author wrote and `uninject` will not give back as it was. */
  readonly lost: readonly number[]
  /** Places in the text that its author may have written otherwise. */
  readonly fresh: readonly { readonly start: number; readonly end: number }[]
  /** The whole document is written anew, its comments are gone. */
  readonly isAnew: boolean
}

interface Asked {
  readonly lined: LinedText
  readonly document: ManifestDocument
  /** What the document is to say. */
  readonly after: JsonObject
  readonly mode: Mode
}

const newWork = ({ lined, document, mode }: Asked, kept: readonly Kept[]): Work => {
  const { start, end, tree, anchors, values } = document
  const isWindows = lined.text.slice(start, end).includes('\r\n')
  return {
    ...documentStyle(tree, lined, isWindows ? '\r\n' : '\n'),
    lined,
    mode,
    values,
    kept,
    isLinked: anchors.size > 0 || kept.length > 0,
    settled: new Map(),
    edits: [],
    lost: [],
    fresh: [],
    restored: new Set(),
    stuck: undefined,
    inexact: undefined,
  }
}

/** Whether a text, read again, says what its edits lead to, and that is what was asked for. */
const says = (text: string, said: Json, { document, after, mode }: Asked): boolean => {
  const read = readDocument(text, { ...document, start: 0, end: text.length })
  if (!read.ok || typeof read.value === 'string') return false
  const { value } = read.value
  // What is empty may have come back from a comment.
  const isMeant = mode === 'restore' ? isSameButEmpty : isSameButNull
  return isSame(value, said) && isMeant(value, after)
}

/** A last line that had no end gets none. */
const withSameEnd = (text: string, before: string): string =>
  before.endsWith('\n') ? text : text.replace(/\r?\n$/, '')

/** The document written anew. */
const anew = (asked: Asked): Changed | undefined => {
  const { lined, document, after } = asked
  const { isJson, jsonIndent, lineEnd, style } = newWork(asked, [])
  const { tree, start, end } = document
  const [from, to] = [lined.lineStart(tree.start), lined.nextLine(tree.end)]
  const before = lined.text.slice(start, Math.max(start, from))
  const lines = isJson
    ? JSON.stringify(after, null, jsonIndent).split('\n')
    : documentLines(after, style)
  const text = before + lines.join(lineEnd) + lineEnd + lined.text.slice(Math.min(to, end), end)
  return isExact(after) && says(text, after, asked)
    ? { text: withSameEnd(text, lined.text.slice(start, end)), lost: [], fresh: [], isAnew: true }
    : undefined
}

type Attempt = Changed | { readonly inexact: number } | undefined

/** The document with edits; undefined where they do not lead to what was asked for. */
const edited = (asked: Asked, kept: readonly Kept[]): Attempt => {
  const { lined, document, after } = asked
  const { tree, start, end } = document
  const work = newWork(asked, kept)
  const stick = (): void => {
    work.stuck ??= tree.start
  }
  const said = settle(tree, after, { head: start, limit: end, isFlow: true, replace: stick }, work)
  if (work.inexact !== undefined) return { inexact: work.inexact }
  const own = lined.text.slice(start, end)
  const { text: whole, placeOf } = applyEdits(own, start, work.edits)
  const text = withSameEnd(whole, own)
  if (work.stuck !== undefined || !says(text, said, asked)) return undefined
  const fresh = work.fresh.map((edit) => ({
    start: placeOf(edit),
    end: Math.min(placeOf(edit) + edit.text.length, text.length),
  }))
  return { text, lost: work.lost, fresh, isAnew: false }
}

const INEXACT =
  'a number beyond 2^53, which would have to be written elsewhere: put it in quotes, or write out what holds it'
const FAULT = "this document cannot be changed; this is a fault of Outrigger's"

/** The document's text once it says another value, or the place of what makes that impossible. */
export const changeDocument = (
  lined: LinedText,
  document: ManifestDocument,
  after: JsonObject,
  mode: Mode,
): Result<Changed, Fault> => {
  const { start, end, tree, anchors, language } = document
  const odd = language === 'yaml' ? oddBreakIn(lined.text.slice(start, end), start) : undefined
  if (odd) return fail(odd)
  const asked = { lined, document, after, mode }
  const kept = mode === 'restore' ? keptIn(lined, document, anchors) : []
  const attempt = edited(asked, kept) ?? (kept.length > 0 ? edited(asked, []) : undefined)
  if (attempt && 'inexact' in attempt) return fail({ offset: attempt.inexact, message: INEXACT })
  const changed = attempt ?? anew(asked)
  return changed ? ok(changed) : fail({ offset: tree.start, message: FAULT })
}
