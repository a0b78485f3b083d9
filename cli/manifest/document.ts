// One document of a manifest: its value, and its text after patch operations. YAML keeps its
// comments and its look; JSON keeps its indentation. A document that is not changed is never written.

import { parseDocument, type Document } from 'yaml'
import { fail, ok, type Result } from '../../shared/result.ts'
import { applyPatch, type Operation } from '../../webhook/inject/patch.ts'
import { isObject, isSame, type JsonObject } from '../../shared/json.ts'
import { graft } from './graft.ts'
import { isBlank } from './stream.ts'
import { editDocument, expandAliases } from './yaml-edit.ts'

export interface ManifestDocument {
  readonly text: string
  /** Undefined for what is no object: comments alone, a list, a scalar. */
  readonly value: JsonObject | undefined
}

// As kubectl reads it: merge keys count. Without types of YAML 1.1 that JSON does not have.
const PARSE = { merge: true, version: '1.2', schema: 'core', prettyErrors: true } as const

const parseJson = (text: string): unknown => {
  try {
    return text.trimStart().startsWith('{') ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}

/** The parser counts lines from the document's start, people from the file's. */
const parseYaml = (text: string, linesBefore: number): Result<Document.Parsed, string> => {
  const document = parseDocument(text, PARSE)
  const [error] = document.errors
  if (!error) return ok(document)
  const [reason = 'not YAML'] = error.message.split(/ at line \d|\n/)
  const line = error.linePos?.[0].line
  return fail(line === undefined ? reason : `line ${linesBefore + line}: ${reason}`)
}

/** Reads one document's text, which stands behind so many lines of its file. */
export const readDocument = (
  text: string,
  linesBefore: number,
): Result<ManifestDocument, string> => {
  if (isBlank(text)) return ok({ text, value: undefined })
  const json = parseJson(text)
  if (isObject(json)) return ok({ text, value: json })
  const document = parseYaml(text, linesBefore)
  if (!document.ok) return document
  const value: unknown = document.value.toJS()
  return ok({ text, value: isObject(value) ? value : undefined })
}

const indentOf = (text: string): string => /\n([ \t]+)"/.exec(text)?.[1] ?? ''

const writeJson = (text: string, value: JsonObject): string =>
  JSON.stringify(value, null, indentOf(text)) + (/\s*$/.exec(text)?.[0] ?? '')

const styleOf = (text: string): Parameters<Document['toString']>[0] => ({
  lineWidth: 0,
  indent: Math.max(1, (/^\S[^\n]*:[ \t]*\n( +)[^ #\n-]/m.exec(text)?.[1] ?? '  ').length),
  // A list at the column of its key, as kubectl writes it, or further in.
  indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*\n(?:[ \t]*#[^\n]*\n)*\1- /m.test(text),
  flowCollectionPadding: !/\[[^ \]\n]/.test(text),
})

const writeYaml = (text: string, operations: readonly Operation[], value: JsonObject): string => {
  const source = text.replaceAll('\r\n', '\n')
  const document = parseDocument(source, PARSE)
  const style = styleOf(source)
  const unchanged = document.toString(style)
  expandAliases(document)
  editDocument(document, operations)
  if (!isSame(document.toJS(), value))
    document.contents = parseDocument(JSON.stringify(value)).contents
  const changed = document.toString(style)
  const grafted = graft(source, unchanged, changed)
  const isRight = isSame(parseDocument(grafted, PARSE).toJS(), value)
  const result = isRight ? grafted : changed
  return text.includes('\r\n') ? result.replaceAll('\n', '\r\n') : result
}

/** The document's text after the operations. */
export const editText = (
  { text, value = {} }: ManifestDocument,
  operations: readonly Operation[],
): Result<string, string> => {
  if (operations.length === 0) return ok(text)
  const after = applyPatch(value, operations)
  if (!after.ok) return after
  const isJson = isObject(parseJson(text))
  return ok(isJson ? writeJson(text, after.value) : writeYaml(text, operations, after.value))
}
