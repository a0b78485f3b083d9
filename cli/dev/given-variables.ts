// Variables that `dev` is told: by `--env`, and by the lines of an `--env-from` file, which are docker's and kubectl's form
// (NAME=VALUE or NAME, `#` at the beginning, nothing unquoted). Pure. A value may be secret: no message holds one.

import { fail, ok, type Result } from '../../shared/result.ts'

export type Variables = ReadonlyMap<string, string>
type Environment = Readonly<Record<string, string | undefined>>
type Pair = readonly [name: string, value: string]

const FORM = 'write NAME=VALUE, or NAME to take it from the environment'
const NAME = /^[^\s=\0]+$/

const readPair = (text: string, environment: Environment): Result<Pair, string> => {
  const sign = text.indexOf('=')
  const name = sign === -1 ? text : text.slice(0, sign)
  if (!NAME.test(name)) return fail(`this begins with no name of a variable; ${FORM}`)
  if (text.includes('\0')) return fail(`${name} holds a NUL character, which no variable can`)
  if (sign !== -1) return ok([name, text.slice(sign + 1)])
  const value = environment[name]
  return value === undefined
    ? fail(`${name} is not set in the environment; export it, or ${FORM}`)
    : ok([name, value])
}

interface Told {
  readonly where: string
  readonly text: string
}

const readAll = (told: readonly Told[], environment: Environment): Result<Variables, string[]> => {
  const variables = new Map<string, string>()
  const errors: string[] = []
  for (const { where, text } of told) {
    const pair = readPair(text, environment)
    if (pair.ok) variables.set(...pair.value)
    else errors.push(`${where}: ${pair.error}`)
  }
  return errors.length > 0 ? fail(errors) : ok(variables)
}

/** Reads what `--env` was given, each time. */
export const variablesOfFlags = (
  texts: readonly string[],
  environment: Environment,
): Result<Variables, string[]> =>
  readAll(
    texts.map((text) => ({ where: '--env', text })),
    environment,
  )

/** Reads the text of a file; the errors name it, as it was given, with the line. */
export const variablesOfFile = (
  where: string,
  text: string,
  environment: Environment,
): Result<Variables, string[]> =>
  readAll(
    text.split(/\r?\n/).flatMap((line, index) => {
      const trimmed = line.trimStart()
      if (trimmed === '' || trimmed.startsWith('#')) return []
      return [{ where: `${where}: line ${index + 1}`, text: trimmed }]
    }),
    environment,
  )
