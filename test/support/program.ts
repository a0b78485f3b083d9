// What the programs of the tests have in common: --help says what they take (exit code 0), wrong usage is told with
// that (2), Ctrl-C ends what runs (130), anything else that fails says so (1).

import { isHelp } from '../../shared/help.ts'
import { messageOf } from '../../shared/message.ts'

export interface Program<Options> {
  readonly name: string
  readonly usage: string
  /** Throws what is wrong with the arguments. */
  readonly read: (args: string[]) => Options
  /** Resolves with the exit code. */
  readonly run: (options: Options, signal: AbortSignal) => Promise<number>
}

/** Runs it on this process's arguments and signals; resolves with the exit code. */
export const runProgram = async <Options>({
  name,
  usage,
  read,
  run,
}: Program<Options>): Promise<number> => {
  const args = process.argv.slice(2)
  if (isHelp(args)) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  let options: Options
  try {
    options = read(args)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${usage}\n`)
    return 2
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    return await run(options, stop.signal)
  } catch (error) {
    process.stderr.write(`${name}: ${stop.signal.aborted ? 'interrupted' : messageOf(error)}\n`)
    return stop.signal.aborted ? 130 : 1
  }
}
