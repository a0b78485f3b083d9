// Edits of a collection in block style, line by line: members put in, taken out, kept as comments. What is put in comes
// out again by the same rule, so that nothing of it stays. Adds to the work's edits.

import type { Json } from '../../../shared/json.ts'
import { isEmpty } from './empty.ts'
import { commentOut, linesEnd } from './kept.ts'
import { isLed, type LinedText } from '../read/lined-text.ts'
import { membersOf, nameOf } from '../read/tree.ts'
import type { Collection, ListTree, Member, Tree } from '../read/tree.ts'
import { edit, write, type Work } from './work.ts'
import { entryLines, itemLines, writeFlow, writeKey } from './write.ts'

/** Where the members of a collection stand in their lines. */
const columnOf = (tree: Collection, { lined }: Work): number =>
  tree.inner - lined.lineStart(tree.inner)

const isAlone = ({ start }: Member, { lined }: Work): boolean => isLed(lined, start, / /)

type Lines = readonly string[]

const shift = (lines: Lines, columns: number): Lines =>
  lines.map((line) => ' '.repeat(columns) + line)

/** Puts lines in where a line begins, or behind the text's last line if that has no end. */
const insertLines = (at: number, lines: Lines, work: Work): void => {
  const { lined, lineEnd } = work
  const isLine = at === 0 || lined.text[at - 1] === '\n'
  const joined = lines.join(lineEnd)
  write(work, at, at, isLine ? joined + lineEnd : lineEnd + joined)
}

/** Puts lines in before a member that does not begin its line: `- name: a`. */
const insertBefore = (member: Member, lines: Lines, column: number, work: Work): void =>
  write(work, member.start, member.start, [...lines, ''].join(work.lineEnd + ' '.repeat(column)))

/** Whether a block scalar ends with the text and without a line's end: one would change it. */
const endsOpen = (tree: Tree, lined: LinedText): boolean => {
  const { text } = lined
  if (tree.end < text.length || text.endsWith('\n')) return false
  if (tree.kind === 'scalar') return tree.style === 'block'
  const last = tree.kind === 'alias' ? undefined : membersOf(tree).at(-1)
  return last !== undefined && endsOpen(last.value, lined)
}

/** Puts members in behind those that are there. */
export const append = (tree: Collection, lines: Lines, work: Work): void => {
  const last = membersOf(tree).at(-1)
  if (!last) return
  const column = columnOf(tree, work)
  if (!endsOpen(last.value, work.lined))
    insertLines(linesEnd(work.lined, last), shift(lines, column), work)
  else if (isAlone(last, work))
    insertLines(work.lined.lineStart(last.start), shift(lines, column), work)
  else insertBefore(last, lines, column, work)
}

/** Puts items in before the one of an index; `head` is where what leads the list stands. */
export const insertItem = (
  tree: ListTree,
  { before, value }: { readonly before: number; readonly value: Json },
  head: number,
  work: Work,
): void => {
  const lines = itemLines(value, work.style)
  const column = columnOf(tree, work)
  const [previous, next] = [tree.items[before - 1], tree.items[before]]
  if (!next) append(tree, lines, work)
  else if (previous) insertLines(linesEnd(work.lined, previous), shift(lines, column), work)
  else if (isAlone(next, work)) insertLines(work.lined.nextLine(head), shift(lines, column), work)
  else insertBefore(next, lines, column, work)
}

/** Takes members out that stand one behind the other. */
const removeRun = (run: readonly Member[], next: Member | undefined, work: Work): void => {
  const { lined } = work
  const [first, last] = [run.at(0), run.at(-1)]
  if (!first || !last) return
  const end = linesEnd(lined, last)
  if (isAlone(first, work)) {
    // Comments between them stay.
    for (const member of run) edit(work, lined.lineStart(member.start), linesEnd(lined, member), '')
  } else if (next && lined.lineStart(next.start) === end) edit(work, first.start, next.start, '')
  else edit(work, first.start, end, work.lineEnd)
}

/** Takes members out: as comments that stay where they stood, or for good. */
export const removeMembers = (tree: Collection, gone: ReadonlySet<number>, work: Work): void => {
  const members = membersOf(tree)
  if (work.mode === 'keep') {
    for (const index of gone) commentMember(members[index], work)
    return
  }
  let run: Member[] = []
  for (const [index, member] of members.entries()) {
    if (gone.has(index)) run.push(member)
    else {
      removeRun(run, member, work)
      run = []
    }
  }
  removeRun(run, undefined, work)
}

const commentMember = (member: Member | undefined, work: Work): void => {
  if (member) work.edits.push(...commentOut(work.lined, member))
}

/** Whether a value stands on one line with what leads it. */
const isShort = (member: Member, { lined }: Work): boolean =>
  member.value.kind !== 'map' &&
  member.value.kind !== 'list' &&
  lined.lineOf(member.start) === lined.lineOf(member.end)

const linesOf = (member: Member, value: Json, { lined, style }: Work): Lines => {
  if (!('key' in member)) return itemLines(value, style)
  const { key, isExplicit } = member
  const isOwn = key.kind === 'scalar' && !isExplicit
  const text = isOwn ? lined.text.slice(key.start, key.end) : writeKey(nameOf(member))
  return entryLines(text, value, style)
}

/** Another value in a member's place. */
export const replaceMember = (tree: Collection, member: Member, value: Json, work: Work): void => {
  const { lined, lineEnd, mode } = work
  const column = columnOf(tree, work)
  const lines = linesOf(member, value, work)
  const end = linesEnd(lined, member)
  if (mode === 'keep') {
    commentMember(member, work)
    insertLines(end, shift(lines, column), work)
  } else if (isShort(member, work) && (typeof value !== 'object' || isEmpty(value))) {
    const { start, end: valueEnd } = member.value
    const text = writeFlow(value, { isJson: false, space: ' ' })
    write(work, start, valueEnd, start === valueEnd ? ` ${text}` : text)
  } else {
    const [first = '', ...more] = lines
    const hasEnd = lined.text[end - 1] === '\n'
    const text = [first, ...shift(more, column)].join(lineEnd)
    write(work, member.start, end, hasEnd ? text + lineEnd : text)
  }
}
