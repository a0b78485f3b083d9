// The word by which a command is told what to do. Pure.

import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Given } from './flags.ts'

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

/** The flags that are not every verb's, by verb. */
export type VerbFlags<T extends string> = Readonly<Record<T, readonly string[]>>

/** What was given that another verb is for: whoever typed it counts on it. Undefined: nothing. */
export const strayFlags = <T extends string>(
  command: string,
  verb: T,
  flags: VerbFlags<T>,
  { has }: Pick<Given, 'has'>,
): string | undefined => {
  const own: readonly string[] = flags[verb]
  const stray = Object.entries<readonly string[]>(flags).flatMap(([other, names]) =>
    names
      .filter((name) => has(name) && !own.includes(name))
      .map((name) => `--${name} is for ${command} ${other}`),
  )
  return stray.length === 0 ? undefined : stray.join('; ')
}
