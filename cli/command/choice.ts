// What the first words of a command line ask for: a subcommand, or something to print at once. Pure.

import { nearest } from '../../shared/nearest.ts'

export type Choice =
  | { readonly kind: 'command'; readonly name: string; readonly args: readonly string[] }
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'misuse'; readonly problem: string }

const HELP = new Set(['help', '--help', '-h'])
const VERSION = new Set(['version', '--version', '-v', '-V'])

const misuse = (word: string, names: readonly string[]): Choice => {
  const match = nearest(word, names)
  const hint = match === undefined ? '' : `; did you mean ${match}?`
  const what = word.startsWith('-') ? 'flag before the command' : 'command'
  return { kind: 'misuse', problem: `there is no ${what} ${JSON.stringify(word)}${hint}` }
}

export const choose = (words: readonly string[], names: readonly string[]): Choice => {
  const [first = 'help', ...rest] = words
  if (VERSION.has(first)) return { kind: 'version' }
  const [topic] = rest
  if (HELP.has(first)) {
    if (topic === undefined || HELP.has(topic)) return { kind: 'help' }
    // `outrigger help run` is `outrigger run --help`.
    return names.includes(topic)
      ? { kind: 'command', name: topic, args: ['--help'] }
      : misuse(topic, names)
  }
  return names.includes(first) ? { kind: 'command', name: first, args: rest } : misuse(first, names)
}
