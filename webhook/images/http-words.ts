// Why a registry's host was not reached, with what helps. Pure.

import { connectionWords, NO_TLS, UNTRUSTED } from '../../shared/connection-words.ts'

const HELP: readonly (readonly [words: string, help: string])[] = [
  [UNTRUSTED, '`caFile` of its entry in `registries` names an authority'],
  [NO_TLS, '`allowPlainHttp: true` of its entry in `registries` does without'],
]

/** One line. */
export const httpWords = (error: unknown): string => {
  const words = connectionWords(error)
  const [known, help] = HELP.find(([start]) => words.startsWith(start)) ?? []
  return known === undefined ? words : words.replace(known, `${known} (${help})`)
}
