// What `dev` is told beside the manifest, read and checked: variables and directories.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Io } from '../command/command.ts'
import { readText } from '../command/read-text.ts'
import { fileWords } from '../output/system-words.ts'
import type { DevFlags } from './dev-flags.ts'
import { variablesOfFile, variablesOfFlags, type Variables } from './given-variables.ts'

export interface Told {
  readonly given: Variables
  /** Absolute. */
  readonly directories: ReadonlyMap<string, string>
}

const readVariables = async (flags: DevFlags, io: Io): Promise<Result<Variables, string[]>> => {
  const parts: Result<Variables, string[]>[] = []
  for (const { flag, file } of flags.envFiles) {
    const text = await readText(file)
    parts.push(
      text.ok
        ? variablesOfFile(`${flag} ${file}`, text.value, io.environment)
        : fail([`${flag} ${text.error}`]),
    )
  }
  parts.push(variablesOfFlags(flags.env, io.environment))
  const errors = parts.flatMap((part) => (part.ok ? [] : part.error))
  if (errors.length > 0) return fail(errors)
  const variables = new Map<string, string>()
  for (const part of parts)
    if (part.ok) for (const [name, value] of part.value) variables.set(name, value)
  return ok(variables)
}

const notDirectory = async (path: string): Promise<string | undefined> => {
  try {
    return (await stat(path)).isDirectory()
      ? undefined
      : 'this is a file, and a directory is wanted'
  } catch (error) {
    return fileWords(error).replace('no such file', 'no such directory')
  }
}

/** The error is everything that is wrong. */
export const readTold = async (flags: DevFlags, io: Io): Promise<Result<Told, string[]>> => {
  const given = await readVariables(flags, io)
  const errors = given.ok ? [] : [...given.error]
  const directories = new Map<string, string>()
  for (const [name, directory] of flags.volumes) {
    const why = await notDirectory(directory)
    if (why !== undefined) errors.push(`--volume ${name}=${directory}: ${why}`)
    directories.set(name, resolve(directory))
  }
  return given.ok && errors.length === 0 ? ok({ given: given.value, directories }) : fail(errors)
}
