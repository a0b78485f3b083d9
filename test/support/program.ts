// What the programs of the tests have in common: wrong usage is told with the usage (exit code 2), Ctrl-C ends
// what runs (130), anything else that fails says so (1).

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
  let options: Options
  try {
    options = read(process.argv.slice(2))
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
