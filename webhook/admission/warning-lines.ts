// Warnings as lines that whoever runs kubectl sees whole: what is longer than the API server's bound for one goes on in
// another, behind the same head, so that what to do isn't what is cut off. Pure.

import { oneLine } from '../../shared/one-line.ts'

// The API server may cut a warning at 256 characters and ignores what exceeds 4,096 in all.
const MAX_LINE_LENGTH = 256
const MAX_LINES_LENGTH = 4096
// Room for the line that says how many were left out.
const MORE_LENGTH = 64
/** More of one warning tells nothing: what makes it longer was written by somebody else. */
const MAX_WARNING_LENGTH = 1024
/** A longer head would leave the lines behind it no room. */
const MAX_HEAD_LENGTH = 100

const ON = '…'
const HIGH_SURROGATE = /[\uD800-\uDBFF]$/

/** Whether a command stands whole before this place, or wholly behind it. */
const isOutsideCode = (text: string, end: number): boolean =>
  text.slice(0, end).split('`').length % 2 === 1

/** Behind a sentence or its part rather than a word, and never within a command that a line has room for. */
const ENDS = [/[;.:] /g, /, /g, / /g] as const

/** Where a text is broken that is longer than its line: in the later half of it. */
const breakIn = (text: string, room: number): number => {
  const line = text.slice(0, room)
  for (const end of ENDS) {
    const places = [...line.matchAll(end)].map(({ index, 0: { length } }) => index + length)
    const found = places.findLast((at) => at >= room / 2 && isOutsideCode(line, at))
    if (found !== undefined) return found
  }
  const opened = isOutsideCode(line, room) ? 0 : line.lastIndexOf('`')
  if (opened > 0) return opened
  const space = line.lastIndexOf(' ') + 1
  if (space >= room / 2) return space
  return HIGH_SURROGATE.test(line) ? room - 1 : room
}

/** What stands before the first colon: of whom it is. */
const headOf = (text: string): string => {
  const end = text.indexOf(': ')
  return end === -1 || end > MAX_HEAD_LENGTH ? '' : text.slice(0, end + 2)
}

/** One warning, as the lines that it takes; `on` stands where one goes on in the next. */
const linesOf = (text: string, on: string): readonly string[] => {
  const lines: string[] = []
  const next = `${headOf(text)}${on} `
  let [head, rest] = ['', text]
  while (head.length + rest.length > MAX_LINE_LENGTH) {
    const end = breakIn(rest, MAX_LINE_LENGTH - head.length - on.length - 1)
    lines.push(`${head}${rest.slice(0, end).trimEnd()} ${on}`)
    rest = rest.slice(end).trimStart()
    head = next
  }
  return [...lines, `${head}${rest}`]
}

/** The same, none of which was said: the API server would drop it, whatever it belongs to. A warning that shares a line has its number. */
const newLinesOf = (
  text: string,
  said: ReadonlySet<string>,
  number: number,
): ReadonlySet<string> => {
  const lines = new Set(linesOf(text, ON))
  return lines.isDisjointFrom(said)
    ? lines
    : new Set(linesOf(text, `${ON}${number}`)).difference(said)
}

// The API server drops a warning that holds a control character.
const plain = (text: string): string => {
  const line = oneLine(text.slice(0, MAX_WARNING_LENGTH))
  return text.length > MAX_WARNING_LENGTH ? `${line.slice(0, -1)}…` : line
}

/** The warnings that fit, each whole, and a last line that says how many did not. What nobody is shown is not broken. */
export const boundWarnings = (warnings: readonly string[]): readonly string[] => {
  const texts = [...new Set(warnings.map(plain))]
  const told: (readonly string[])[] = []
  const said = new Set<string>()
  let [length, fitting] = [0, 0]
  for (const text of texts) {
    const lines = [...newLinesOf(text, said, told.length + 1)]
    length += lines.join('').length
    if (length > MAX_LINES_LENGTH) break
    told.push(lines)
    for (const line of lines) said.add(line)
    if (length <= MAX_LINES_LENGTH - MORE_LENGTH) fitting++
  }
  if (told.length === texts.length) return told.flat()
  const left = texts.length - fitting
  return [...told.slice(0, fitting).flat(), `outrigger: ${left} more warnings were left out`]
}
