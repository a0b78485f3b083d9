// Cuts a manifest into documents where kubectl does (apimachinery's YAMLOrJSONDecoder): JSON objects one after another as
// long as they are that, else YAML between lines that begin with `---`. Pure.

import { fail, ok, type Result } from '../../../shared/result.ts'
import type { Fault } from './tree.ts'
import type { Language } from './yaml-tree.ts'

/** Text between two separators, or one JSON object. */
export interface Piece {
  readonly start: number
  readonly end: number
  readonly language: Language
}

/** Behind the string that begins at an offset. */
const stringEnd = (text: string, start: number): number => {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Behind the bracket that closes the one at an offset; undefined where none does. */
const closeOf = (text: string, start: number): number | undefined => {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = stringEnd(text, at) - 1
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth === 0) return at + 1
  }
  return undefined
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const SPACE = /[ \t\r\n]*/y

const skipSpace = (text: string, from: number): number => {
  SPACE.lastIndex = from
  SPACE.test(text)
  return SPACE.lastIndex
}

/** The JSON object at an offset, or undefined where there is none. */
const objectAt = (text: string, start: number): Piece | undefined => {
  const end = text[start] === '{' ? closeOf(text, start) : undefined
  return end !== undefined && isJson(text.slice(start, end))
    ? { start, end, language: 'json' }
    : undefined
}

const ASIDE = /^\s*(?:#|$)/

/** Documents between separators, from an offset that begins a line. */
const yamlPieces = (text: string, from: number): Result<readonly Piece[], Fault> => {
  const pieces: Piece[] = []
  let start = from
  for (let line = from; line <= text.length;) {
    const end = text.indexOf('\n', line)
    const next = end === -1 ? text.length + 1 : end + 1
    if (text.startsWith('---', line)) {
      const rest = text.slice(line + 3, end === -1 ? undefined : end)
      if (!ASIDE.test(rest)) {
        return fail({ offset: line, message: 'only a comment may stand behind ---' })
      }
      pieces.push({ start, end: line, language: 'yaml' })
      start = Math.min(next, text.length)
    }
    line = next
  }
  return ok([...pieces, { start, end: text.length, language: 'yaml' }])
}

/** The documents of a manifest, in order. */
export const cutStream = (text: string): Result<readonly Piece[], Fault> => {
  const objects: Piece[] = []
  let at = skipSpace(text, 0)
  for (let piece = objectAt(text, at); piece; piece = objectAt(text, at)) {
    objects.push(piece)
    at = skipSpace(text, piece.end)
  }
  if (at === text.length) return ok(objects)
  if (objects.length > 1) {
    return fail({ offset: at, message: 'behind several JSON objects only another one may follow' })
  }
  const rest = yamlPieces(text, objects[0]?.end ?? 0)
  return rest.ok ? ok([...objects, ...rest.value]) : rest
}
