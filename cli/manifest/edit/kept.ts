// What injection takes away in block style stays in the text, as comments where it stood: `uninject` takes the marks off
// again, and has every byte back. A comment says nothing about what is right: the values come from the status, and the
// author's own text is taken only where it says the same. Pure.

import type { Edit } from './text-edit.ts'
import { isLed, type LinedText } from '../read/lined-text.ts'
import { membersOf, type Member, type Tree } from '../read/tree.ts'
import { parseTree, type Anchors } from '../read/yaml-tree.ts'

/** Before the first line of what is kept, and before each that follows; equally long. */
const FIRST = '#outrigger: '
const MORE = '#outrigger| '
const MORE_MARK = / *#outrigger\| /y

/** Where a member's last line ends; a block scalar's own end is there already. */
export const linesEnd = ({ text, nextLine }: LinedText, { start, end }: Member): number =>
  end > start && text[end - 1] === '\n' ? end : nextLine(end)

/** Puts a member's lines into comments. */
export const commentOut = (lined: LinedText, member: Member): readonly Edit[] => {
  const edits: Edit[] = [{ start: member.start, end: member.start, text: FIRST }]
  const column = member.start - lined.lineStart(member.start)
  const end = linesEnd(lined, member)
  for (let line = lined.nextLine(member.start); line < end; line = lined.nextLine(line)) {
    let mark = line
    while (lined.text[mark] === ' ' && mark < line + column) mark += 1
    edits.push({ start: mark, end: mark, text: MORE })
  }
  return edits
}

type AnchorMap = Map<string, { readonly tree?: Tree }>

/** A member of a map or a list that stands in comments. */
export interface Kept {
  readonly start: number
  readonly column: number
  /** Takes the marks off. */
  readonly edits: readonly Edit[]
  readonly member: Member
}

/** The marks of the lines that follow a first one. */
const moreMarks = (
  { text, nextLine }: LinedText,
  first: number,
  end: number,
): readonly number[] => {
  const marks: number[] = []
  for (let line = nextLine(first); line < end; line = nextLine(line)) {
    MORE_MARK.lastIndex = line
    if (!MORE_MARK.test(text)) break
    marks.push(MORE_MARK.lastIndex - MORE.length)
  }
  return marks
}

/** The one member that the lines are without their marks. Its anchors are known to what follows. */
const memberOf = (fragment: string, anchors: AnchorMap): Member | undefined => {
  const parsed = parseTree(fragment, 0, { language: 'yaml', anchors })
  const tree = parsed.ok ? parsed.value.tree : undefined
  if (!parsed.ok || (tree?.kind !== 'map' && tree?.kind !== 'list')) return undefined
  for (const [name, anchored] of parsed.value.anchors) anchors.set(name, anchored)
  const members = membersOf(tree)
  return tree.style === 'block' && members.length === 1 ? members[0] : undefined
}

const keptAt = (
  lined: LinedText,
  first: number,
  end: number,
  anchors: AnchorMap,
): Kept | undefined => {
  if (!isLed(lined, first, /[-?: ]/)) return undefined
  const column = first - lined.lineStart(first)
  const marks = [first, ...moreMarks(lined, first, end)]
  const lines = marks.map((mark, index) => {
    const indent = index === 0 ? ' '.repeat(column) : lined.text.slice(lined.lineStart(mark), mark)
    return indent + lined.text.slice(mark + FIRST.length, lined.nextLine(mark))
  })
  const member = memberOf(lines.join(''), anchors)
  const edits = marks.map((start) => ({ start, end: start + FIRST.length, text: '' }))
  return member && { start: first, column, edits, member }
}

/** Scalars of more than one line, in order: what looks like a comment in them is none. */
const longScalars = (tree: Tree, lineOf: LinedText['lineOf']): readonly Tree[] => {
  if (tree.kind === 'alias' || lineOf(tree.start) === lineOf(tree.end)) return []
  if (tree.kind === 'scalar') return [tree]
  return membersOf(tree).flatMap(({ value }) => longScalars(value, lineOf))
}

/** Places of the first marks in a document, in order. */
function* firstMarks(text: string, start: number, end: number): Generator<number> {
  const region = text.slice(start, end)
  for (let at = region.indexOf(FIRST); at !== -1; at = region.indexOf(FIRST, at + 1)) {
    yield start + at
  }
}

/** What a document keeps in comments, in order. */
export const keptIn = (
  lined: LinedText,
  { start, end, tree }: { readonly start: number; readonly end: number; readonly tree: Tree },
  anchors: Anchors,
): readonly Kept[] => {
  const marks = [...firstMarks(lined.text, start, end)]
  const scalars = marks.length === 0 ? [] : longScalars(tree, lined.lineOf)
  const known: AnchorMap = new Map(marks.length === 0 ? [] : anchors)
  let next = 0
  return marks.flatMap((mark) => {
    while (next < scalars.length && (scalars[next]?.end ?? 0) <= mark) next += 1
    const isText = (scalars[next]?.start ?? end) <= mark
    const kept = isText ? undefined : keptAt(lined, mark, end, known)
    return kept ? [kept] : []
  })
}
