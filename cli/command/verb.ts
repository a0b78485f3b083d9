// The word by which a command is told what to do. Pure.

import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

export const verbIn = <T extends string>(
  word: string | undefined,
  verbs: readonly T[],
): Result<T, string> => {
  const verb = verbs.find((one) => one === word)
  if (verb !== undefined) return ok(verb)
  if (word === undefined) return fail(`say what to do: ${verbs.join(', ')}`)
  const match = nearest(word, verbs)
  const hint = match === undefined ? `; there are ${verbs.join(', ')}` : `; did you mean ${match}?`
  return fail(`there is no ${JSON.stringify(word)}${hint}`)
}
