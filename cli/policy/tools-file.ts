// The names of a server's tools, from what a client has of them: the result of `tools/list`, a list of tools or of names. Pure.

import { arrayAt, isList, isObject, stringAt, type Json } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

const listIn = (value: Json): readonly Json[] | undefined =>
  isList(value) ? value : (arrayAt(value, 'tools') ?? arrayAt(value, 'result', 'tools'))

const parsed = (text: string): Json | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) || Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

export const readToolNames = (text: string): Result<readonly string[], string> => {
  const value = parsed(text)
  const list = value === undefined ? undefined : listIn(value)
  const names = list?.flatMap((tool) =>
    typeof tool === 'string' ? [tool] : (stringAt(tool, 'name') ?? []),
  )
  return names === undefined || names.length !== list?.length
    ? fail('must be the result of tools/list as JSON, or a list of names')
    : ok(names)
}
