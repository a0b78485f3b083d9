// Edits of a collection in flow style, which JSON is: members put in, taken out, or given another value. What is put in
// comes out again by the same rule, so that nothing of it stays. Adds to the work's edits.

import type { Json } from '../../../shared/json.ts'
import { isLed } from '../read/lined-text.ts'
import { membersOf, type Collection, type Member, type Tree } from '../read/tree.ts'
import { edit, write, type Work } from './work.ts'
import { writeFlow, writeKey } from './write.ts'

const SPACE = /[ \t]/

const lineIndent = ({ lined: { text, lineStart } }: Work, offset: number): string => {
  const start = lineStart(offset)
  let end = start
  while (SPACE.test(text[end] ?? '')) end += 1
  return text.slice(start, end)
}

/** How the members of one collection are written. */
interface Layout {
  readonly isJson: boolean
  /** What a line of a member begins with; undefined where all stand on one line. */
  readonly indent: string | undefined
}

const layoutOf = (tree: Collection, members: readonly Member[], work: Work): Layout => {
  const { lined, isJson, jsonIndent } = work
  const [first] = members
  if (first === undefined) {
    const indent = jsonIndent === undefined ? undefined : lineIndent(work, tree.start) + jsonIndent
    return { isJson, indent }
  }
  return {
    isJson: isJson || (tree.kind === 'map' && lined.text[first.start] === '"'),
    indent: isLed(lined, first.start, SPACE) ? lineIndent(work, first.start) : undefined,
  }
}

const writeValue = (value: Json, { isJson, indent }: Layout, work: Work): string => {
  const { jsonIndent, lineEnd, flowSpace } = work
  return isJson && indent !== undefined && jsonIndent !== undefined
    ? JSON.stringify(value, null, jsonIndent).replaceAll('\n', lineEnd + indent)
    : writeFlow(value, { isJson, space: isJson ? flowSpace : ' ' })
}

const between = ({ isJson, indent }: Layout, { lineEnd, flowSpace }: Work): string =>
  indent === undefined ? `,${isJson ? flowSpace : ' '}` : `,${lineEnd}${indent}`

/** A member to be put in, before the one that had this index. */
export interface Addition {
  readonly before: number
  /** Undefined in a list. */
  readonly key: string | undefined
  readonly value: Json
}

const writeAddition = ({ key, value }: Addition, layout: Layout, work: Work): string => {
  const text = writeValue(value, layout, work)
  if (key === undefined) return text
  const space = layout.isJson ? work.flowSpace : ' '
  return `${layout.isJson ? JSON.stringify(key) : writeKey(key)}:${space}${text}`
}

/** Takes a run of members out, each with what parts it from those that stay. */
const removeRun = (
  members: readonly Member[],
  run: readonly [number, number],
  work: Work,
): void => {
  const [from, to] = run
  const [before, after] = [members[from - 1], members[to]]
  const [first, last] = [members[from], members[to - 1]]
  if (!first || !last) return
  if (before) edit(work, before.end, last.end, '')
  else if (after) edit(work, first.start, after.start, '')
}

/** Takes all members out; what stands between the brackets goes too where it had lines. */
const clear = (tree: Collection, members: readonly Member[], work: Work): void => {
  const [first, last] = [members.at(0), members.at(-1)]
  if (!first || !last) return
  const close = tree.end - 1
  const rest = work.lined.text.slice(last.end, close)
  const hasLines = isLed(work.lined, first.start, SPACE) || rest.includes(',')
  edit(work, tree.inner, hasLines ? close : last.end, '')
}

/** Runs of indexes that are gone. */
const runsOf = (
  gone: ReadonlySet<number>,
  length: number,
): readonly (readonly [number, number])[] => {
  const runs: [number, number][] = []
  for (let index = 0; index < length; index += 1) {
    if (!gone.has(index)) continue
    const last = runs.at(-1)
    if (last?.[1] === index) last[1] = index + 1
    else runs.push([index, index + 1])
  }
  return runs
}

const fill = (tree: Collection, texts: readonly string[], layout: Layout, work: Work): void => {
  const joined = texts.join(between(layout, work))
  const { indent } = layout
  const text =
    indent === undefined
      ? joined
      : `${work.lineEnd}${indent}${joined}${work.lineEnd}${lineIndent(work, tree.start)}`
  write(work, tree.inner, tree.inner, text)
}

/** Puts members in beside those that stay, in the order of where they go. */
const putIn = (
  members: readonly Member[],
  gone: ReadonlySet<number>,
  additions: readonly Addition[],
  put: (at: number, isBehind: boolean, addition: Addition) => void,
): void => {
  const first = members.find((_member, index) => !gone.has(index))
  let next = 0
  let left: Member | undefined
  for (const addition of additions) {
    for (; next < addition.before; next += 1) if (!gone.has(next)) left = members[next]
    if (left) put(left.end, true, addition)
    else if (first) put(first.start, false, addition)
  }
}

/** Members that are gone, by index, and new ones, in the order of where they go. */
export const changeFlow = (
  tree: Collection,
  gone: ReadonlySet<number>,
  additions: readonly Addition[],
  work: Work,
): void => {
  const members = membersOf(tree)
  if (members.length === gone.size) {
    const layout = layoutOf(tree, [], work)
    clear(tree, members, work)
    const texts = additions.map((addition) => writeAddition(addition, layout, work))
    if (texts.length > 0) fill(tree, texts, layout, work)
    return
  }
  const layout = layoutOf(tree, members, work)
  const comma = between(layout, work)
  putIn(members, gone, additions, (at, isBehind, addition) => {
    const text = writeAddition(addition, layout, work)
    write(work, at, at, isBehind ? comma + text : text + comma)
  })
  for (const run of runsOf(gone, members.length)) removeRun(members, run, work)
}

/** Another value in a member's place. */
export const replaceFlow = (member: Member, tree: Tree, value: Json, work: Work): void => {
  const { text } = work.lined
  const isJson = work.isJson || text[member.start] === '"'
  const indent = isLed(work.lined, member.start, SPACE) ? lineIndent(work, member.start) : undefined
  const layout: Layout = { isJson, indent }
  const written = writeValue(value, layout, work)
  const colonEnd = 'colonEnd' in member ? member.colonEnd : tree.start
  if (colonEnd === undefined) write(work, member.end, member.end, `: ${written}`)
  else {
    // Behind a quoted key a value may follow its colon at once.
    const space = tree.start === colonEnd && !isJson ? ' ' : ''
    write(work, tree.start, tree.end, space + written)
  }
}
