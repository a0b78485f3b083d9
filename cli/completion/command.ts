// `outrigger completion SHELL`: prints what makes a shell complete subcommands, flags and values. Made from the same
// tables that the parser and the help read.

import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { defineCommand, type Command } from '../command/command.ts'
import type { Flag, FlagTable, Given } from '../command/flags.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { zshScript } from './zsh.ts'

/** A subcommand as a shell completes it. */
export interface CompletedCommand {
  readonly name: string
  readonly summary: string
  readonly flags: FlagTable
  /** The flags with the beginning of what they do. */
  readonly rows: readonly (readonly [name: string, flag: Flag & { readonly about: string }])[]
}

export interface NamedCommand {
  readonly name: string
  readonly summary: string
  readonly command: Pick<Command, 'flags'>
}

const MAX_ABOUT = 70

/** So much of what a flag does as fits beside it. */
const briefly = (doc: string): string => {
  const [sentence = ''] = doc.split(/[.;:] | \(/)
  return sentence.length > MAX_ABOUT ? `${sentence.slice(0, MAX_ABOUT)}…` : sentence
}

const completed = ({ name, summary, command: { flags } }: NamedCommand): CompletedCommand => ({
  name,
  summary,
  flags,
  rows: Object.entries(flags).map(([flag, row]) => [flag, { ...row, about: briefly(row.doc) }]),
})

const SCRIPTS = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
])

type Script = typeof bashScript

const readShell = ({ words }: Given): Result<Script, string> => {
  const [shell = '', ...more] = words
  const script = more.length > 0 ? undefined : SCRIPTS.get(shell)
  if (script) return ok(script)
  const match = nearest(shell, [...SCRIPTS.keys()])
  const hint = match === undefined || match === shell ? '' : `; did you mean ${match}?`
  return fail(`say for which shell: ${[...SCRIPTS.keys()].join(', ')}${hint}`)
}

/** `all`: the other subcommands. */
export const completionOf = (all: () => Promise<readonly NamedCommand[]>): Command =>
  defineCommand({
    name: 'completion',
    synopsis: 'bash|zsh|fish',
    about:
      'Prints what completes subcommands, flags and values in a shell: source <(outrigger completion bash), the same\nin zsh, and outrigger completion fish | source.',
    flags: {},
    takesWords: true,
    cleansUp: false,
    readFlags: readShell,
    run: async (script, io) => {
      io.stdout(script((await all()).map(completed)))
      return 0
    },
  })
