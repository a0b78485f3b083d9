// One document of a manifest: what kubectl reads in it. Pure.

import { ok, type Result } from '../../../shared/result.ts'
import { isObject, type JsonObject } from '../../../shared/json.ts'
import { forbiddenIn, withPlainBreaks } from './characters.ts'
import type { Piece } from './stream.ts'
import type { Fault, Tree } from './tree.ts'
import { readValue, type Read } from './value.ts'
import { parseTree, type Anchors } from './yaml-tree.ts'

export interface ManifestDocument extends Piece, Read {
  readonly tree: Tree
  readonly anchors: Anchors
  readonly value: JsonObject
}

/** Reads a piece of a manifest; undefined where it holds no object. */
export const readDocument = (
  text: string,
  piece: Piece,
): Result<ManifestDocument | 'other' | 'nothing', Fault> => {
  const { start, end, language } = piece
  const own = text.slice(start, end)
  const forbidden = language === 'yaml' ? forbiddenIn(own, start) : undefined
  if (forbidden) return { ok: false, error: forbidden }
  const parsed = parseTree(language === 'yaml' ? withPlainBreaks(own) : own, start, { language })
  if (!parsed.ok) return parsed
  const { tree, anchors } = parsed.value
  if (!tree) return ok('nothing')
  const read = readValue(tree)
  if (!read.ok) return read
  const { value, values } = read.value
  return ok(isObject(value) ? { ...piece, tree, anchors, value, values } : 'other')
}
