// What a subcommand is, and what it may touch: arguments, two streams, an environment, a signal.

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
  /** The whole help text. */
  readonly usage: string
  /** Whether it has something to clean up at a signal; what has not is ended by the signal itself, at once. */
  readonly cleansUp: boolean
  /** Resolves with the exit code: 0 done, 1 failed or denied, 2 wrong usage. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>
}

/** Wrong usage: what is wrong, and where the help is. */
export const misuse = (io: Io, name: string, problem: string): number => {
  io.stderr(`outrigger ${name}: ${problem}\nSee: outrigger ${name} --help\n`)
  return 2
}

/** Whether help is asked for, also behind other flags; what stands after `--` is somebody else's. */
export const isHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return args
    .slice(0, end === -1 ? args.length : end)
    .some((arg) => arg === '--help' || arg === '-h')
}
