// What was not printed, in words and as an exit code. Pure.

import { codeOf } from '../../shared/error-code.ts'
import { streamWords } from './system-words.ts'

export interface Loss {
  readonly message: string
  readonly exitCode: number
}

// What a shell reports of a program that the system has ended for writing to a pipe that nobody reads.
const NO_READER = 141
const FAILED = 1

/** A stream's failure: a reader that has left is not a disk that is full. */
export const lossOf = (stream: string, error: Error): Loss => {
  const isReaderGone = codeOf(error) === 'EPIPE'
  const why = isReaderGone ? 'whoever read it has left' : streamWords(error)
  return {
    message: `${stream} is not whole: ${why}`,
    exitCode: isReaderGone ? NO_READER : FAILED,
  }
}

/** The command's own failure says more than that of a stream. */
export const exitCode = (code: number, loss: Loss | undefined): number =>
  code === 0 && loss ? loss.exitCode : code
