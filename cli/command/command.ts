// What a subcommand is, and what it may touch: arguments, two streams, an environment, a signal.

import { isHelp } from '../../shared/help.ts'
import { oneLine } from '../../shared/one-line.ts'
import type { Result } from '../../shared/result.ts'
import { flagLines, readGiven, type FlagTable, type Given } from './flags.ts'

export interface Io {
  /** Out whole before the process ends, or its exit code says that it is not; so is what `stderr` gets. */
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
  /** Resolves when everything that standard output was given is out; with false where not all of it is. */
  written(): Promise<boolean>
  /** A line of a log on stderr: left out while nobody reads, so that serving neither waits nor grows for it. */
  log(line: string): void
  /** Whether a person reads a stream as it comes. */
  isTerminal(stream: 'stdout' | 'stderr'): boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C, SIGTERM or the terminal's end: clean up and return. */
  readonly signal: AbortSignal
}

export interface Command {
  /** Whether it has something to clean up at a signal; what has not is ended by the signal itself, at once. */
  readonly cleansUp: boolean
  /** What stands behind its name, as the help has it. */
  readonly synopsis: string
  readonly flags: FlagTable
  /** Resolves with the exit code: 0 done, 1 failed or denied, 2 wrong usage. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

export interface CommandParts<Flags> {
  readonly name: string
  readonly synopsis: string
  /** What it does, in a paragraph. */
  readonly about: string
  readonly flags: FlagTable
  /** Further flags, under a title of their own. */
  readonly more?: { readonly title: string; readonly flags: FlagTable }
  /** What else there is to know, behind the flags. */
  readonly after?: string
  /** Whether it takes words without a flag. */
  readonly takesWords?: true
  readonly cleansUp: boolean
  /** What was typed, as this command needs it; the error is a sentence, and means wrong usage. */
  readonly readFlags: (given: Given) => Result<Flags, string>
  readonly run: (flags: Flags, io: Io) => Promise<number>
}

/** A line of a command's on stderr, whatever names of files and members others have chosen stand in it. */
export const tell = (io: Pick<Io, 'stderr'>, name: string, sentence: string): void =>
  io.stderr(`${oneLine(`outrigger ${name}: ${sentence}`)}\n`)

/** Wrong usage: what is wrong, and where the help is. */
const misuse = (io: Io, name: string, problem: string): number => {
  tell(io, name, problem)
  io.stderr(`See: outrigger ${name} --help\n`)
  return 2
}

type Described = Pick<
  CommandParts<never>,
  'name' | 'synopsis' | 'about' | 'flags' | 'more' | 'after'
>

const helpText = (parts: Described): string => {
  const { name, synopsis, about, flags, more, after } = parts
  return [
    `usage: outrigger ${name} ${synopsis}\n`,
    `${about}\n`,
    flagLines(flags),
    ...(more ? [`${more.title}:\n`, flagLines(more.flags)] : []),
    ...(after === undefined ? [] : [`${after}\n`]),
  ].join('\n')
}

/** A subcommand: its help where that is asked for, then its flags, then what it does. */
export const defineCommand = <Flags>(parts: CommandParts<Flags>): Command => {
  const { name, synopsis, cleansUp, more, takesWords = false } = parts
  const flags = { ...parts.flags, ...more?.flags }
  return {
    cleansUp,
    synopsis,
    flags,
    run: async (args, io) => {
      if (isHelp(args)) {
        io.stdout(helpText(parts))
        return 0
      }
      const given = readGiven(flags, args, takesWords)
      const read = given.ok ? parts.readFlags(given.value) : given
      return read.ok ? parts.run(read.value, io) : misuse(io, name, read.error)
    },
  }
}
