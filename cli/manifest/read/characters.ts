// Characters of a YAML document that are more than they seem: what kubectl refuses, and what is a line's end for it and
// for others is not. Pure.

import type { Fault } from './tree.ts'

// go-yaml v2, readerc.go: what YAML 1.1 has no place for. A mark that is not the manifest's first character is skipped or
// text, as the reader likes.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]/
const ODD_BREAK = /\r(?!\n)|[\x85\u2028\u2029]/

const named = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** The first character that may not stand in YAML. */
export const forbiddenIn = (text: string, base: number): Fault | undefined => {
  const found = FORBIDDEN.exec(text)
  return found
    ? {
        offset: base + found.index,
        message: `the character ${named(found[0])}: kubectl refuses it in YAML`,
      }
    : undefined
}

/** The text with every line's end of YAML 1.1 as one that every reader knows; offsets stay. */
export const withPlainBreaks = (text: string): string =>
  text.replaceAll(new RegExp(ODD_BREAK, 'g'), '\n')

/** The first line's end that not every reader takes for one. */
export const oddBreakIn = (text: string, base: number): Fault | undefined => {
  const found = ODD_BREAK.exec(text)
  return found
    ? {
        offset: base + found.index,
        message: `the character ${named(found[0])} ends a line for kubectl and not for other readers; take it out, or write it in double quotes as \\u${named(found[0]).slice(2)}`,
      }
    : undefined
}
