// The word by which a command is told what to do. Pure.

import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** `form`: what to type, where nothing was, or nothing like it. */
export const verbIn = <T extends string>(
  word: string | undefined,
  verbs: readonly T[],
  form?: string,
): Result<T, string> => {
  const verb = verbs.find((one) => one === word)
  if (verb !== undefined) return ok(verb)
  if (word === undefined) return fail(`say what to do: ${form ?? verbs.join(', ')}`)
  const match = nearest(word, verbs)
  const known = form === undefined ? `there are ${verbs.join(', ')}` : `use ${form}`
  const hint = match === undefined ? known : `did you mean ${match}?`
  return fail(`there is no ${JSON.stringify(word)}; ${hint}`)
}
