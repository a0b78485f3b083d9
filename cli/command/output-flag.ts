// The flag `-o FORMAT` of commands that print for people, or the same as JSON for programs. Pure.

import { ok, type Result } from '../../shared/result.ts'
import { oneOf, type Flag, type Given } from './flags.ts'

const WORDS = ['text', 'json'] as const

export const OUTPUT = {
  short: 'o',
  value: 'FORMAT',
  doc: 'text (the default), or json for programs',
  words: WORDS,
} as const satisfies Flag

/** Whether JSON is asked for; the error is a sentence. */
export const readIsJson = ({ text }: Pick<Given, 'text'>): Result<boolean, string> => {
  const word = oneOf('-o', text('output') ?? 'text', WORDS)
  return word.ok ? ok(word.value === 'json') : word
}
