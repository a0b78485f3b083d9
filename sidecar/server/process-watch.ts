// What is told of server processes to whoever keeps the log: each of these calls is news, and asks for nothing.

import { constants as os } from 'node:os'

/** A server process, as people tell it from others. */
export interface ServerProcess {
  readonly number: number
  /** The beginning of its session's id; undefined where it serves several sessions, or none. */
  readonly session: string | undefined
}

export interface Exit {
  readonly code: number | undefined
  /** A signal's name. */
  readonly signal: string | undefined
  /** The kernel has sent the signal because the container had no memory left. */
  readonly isOutOfMemory: boolean
  /** We had asked for its end. */
  readonly isAsked: boolean
}

export interface ProcessWatch {
  started(process: ServerProcess): void
  /** It has written a line to stderr. */
  wrote(process: ServerProcess, line: string): void
  exited(process: ServerProcess, exit: Exit): void
  /** It is not known to run any more: the shim that watched it has gone. */
  lost(process: ServerProcess): void
}

export const signalName = (signal: number): string =>
  Object.entries(os.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`

/** How a process ended, as the end of a sentence, with what helps where that is known. */
export const howEnded = ({ code, signal, isOutOfMemory }: Exit): string => {
  if (isOutOfMemory) {
    return `was ended by ${signal}, for the container had no memory left: raise its limit, or lower outrigger.dev/max-processes`
  }
  return signal === undefined ? `exited with code ${code}` : `was ended by ${signal}`
}

/** One of few words, for a metric. */
export const causeOf = ({ code, signal, isOutOfMemory, isAsked }: Exit): string => {
  if (isOutOfMemory) return 'out_of_memory'
  if (isAsked) return 'asked'
  return signal ?? (code === 0 ? 'code_0' : 'code')
}
