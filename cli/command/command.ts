// What a subcommand is, and what it may touch: arguments, two streams, an environment, a signal.

import type { Result } from '../../shared/result.ts'

export interface Io {
  /** Out whole before the process ends, or its exit code says that it is not; so is what `stderr` gets. */
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
  /** A line of a log on stderr: left out while nobody reads, so that serving neither waits nor grows for it. */
  log(line: string): void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Aborted by Ctrl-C, SIGTERM or the terminal's end: clean up and return. */
  readonly signal: AbortSignal
}

export interface Command {
  /** Whether it has something to clean up at a signal; what has not is ended by the signal itself, at once. */
  readonly cleansUp: boolean
  /** Resolves with the exit code: 0 done, 1 failed or denied, 2 wrong usage. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

export interface CommandParts<Flags> extends Pick<Command, 'cleansUp'> {
  readonly name: string
  /** The whole help text. */
  readonly usage: string
  /** The error is a sentence, and means wrong usage. */
  readonly readFlags: (args: readonly string[]) => Result<Flags, string>
  readonly run: (flags: Flags, io: Io) => Promise<number>
}

/** Wrong usage: what is wrong, and where the help is. */
const misuse = (io: Io, name: string, problem: string): number => {
  io.stderr(`outrigger ${name}: ${problem}\nSee: outrigger ${name} --help\n`)
  return 2
}

/** Whether help is asked for, also behind other flags; what stands after `--` is somebody else's. */
const isHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return args
    .slice(0, end === -1 ? args.length : end)
    .some((arg) => arg === '--help' || arg === '-h')
}

/** A subcommand: its help where that is asked for, then its flags, then what it does. */
export const defineCommand = <Flags>(parts: CommandParts<Flags>): Command => ({
  cleansUp: parts.cleansUp,
  run: async (args, io) => {
    if (isHelp(args)) {
      io.stdout(parts.usage)
      return 0
    }
    const flags = parts.readFlags(args)
    return flags.ok ? parts.run(flags.value, io) : misuse(io, parts.name, flags.error)
  },
})
