// How a document's author indents, so that what is put in looks like the rest. Pure.

import { isLed, type LinedText } from '../read/lined-text.ts'
import type { Entry, Tree } from '../read/tree.ts'
import type { Work } from './work.ts'

type Style = Pick<Work, 'style' | 'isJson' | 'jsonIndent' | 'flowSpace' | 'lineEnd'>

/** Entries looked at before the usual is taken. */
const MAX_LOOKED_AT = 2000

function* entriesIn(tree: Tree): Generator<Entry> {
  if (tree.kind === 'list') for (const { value } of tree.items) yield* entriesIn(value)
  if (tree.kind !== 'map') return
  for (const entry of tree.entries) {
    yield entry
    yield* entriesIn(entry.value)
  }
}

/** How far a block collection below an entry stands behind it; undefined for any other value. */
const shiftOf = ({ start, value }: Entry, { lineStart, lineOf }: LinedText): number | undefined => {
  const isBlock = (value.kind === 'map' || value.kind === 'list') && value.style === 'block'
  if (!isBlock || lineOf(value.inner) === lineOf(start)) return undefined
  return value.inner - lineStart(value.inner) - (start - lineStart(start))
}

/** How the first map and the first list below an entry stand. */
const blockStyle = (tree: Tree, lined: LinedText): Style['style'] => {
  const shifts = new Map<Tree['kind'], number>()
  let looked = 0
  for (const entry of entriesIn(tree)) {
    looked += 1
    if (shifts.size === 2 || looked > MAX_LOOKED_AT) break
    const shift = shiftOf(entry, lined)
    if (shift !== undefined && !shifts.has(entry.value.kind)) shifts.set(entry.value.kind, shift)
  }
  const indent = shifts.get('map') ?? 2
  return { indent, listIndent: shifts.get('list') ?? indent }
}

/** The style of a document, whose tree stands in the text. */
export const documentStyle = (tree: Tree, lined: LinedText, lineEnd: string): Style => {
  const { text, lineStart } = lined
  const first = tree.kind === 'map' && tree.style === 'flow' ? tree.entries[0] : undefined
  const isJson = first !== undefined && text[first.start] === '"'
  const isPretty = isJson && isLed(lined, first.start, /[ \t]/)
  const indent = (offset: number): string => text.slice(lineStart(offset), offset)
  return {
    style: blockStyle(tree, lined),
    isJson,
    jsonIndent: isPretty ? indent(first.start).slice(indent(tree.start).length) : undefined,
    flowSpace: first?.colonEnd !== undefined && text[first.colonEnd] === ' ' ? ' ' : '',
    lineEnd,
  }
}
