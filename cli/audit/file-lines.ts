// The lines of a file as they stand there, one after the other, however large it is.

import { createReadStream } from 'node:fs'

/** A record has a bound of its own; what is longer is none. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const LINE_END = 0x0a

/** Exact text: what is no UTF-8 stays apart from every text that is. */
const textOf = (bytes: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return `\u0000${bytes.toString('latin1')}`
  }
}

export interface FileLine {
  /** Without its end. */
  readonly text: string
  /** Whether it has one: the last may have none. */
  readonly isEnded: boolean
}

/** Rejects as the system does. */
export const fileLines = async function* (file: string): AsyncGenerator<FileLine, void> {
  let parts: Buffer[] = []
  let length = 0
  const stream = file === '-' ? createReadStream('', { fd: 0 }) : createReadStream(file)
  for await (const chunk of stream) {
    let rest = Buffer.from(chunk)
    for (let end = rest.indexOf(LINE_END); end !== -1; end = rest.indexOf(LINE_END)) {
      yield { text: textOf(Buffer.concat([...parts, rest.subarray(0, end)])), isEnded: true }
      parts = []
      length = 0
      rest = rest.subarray(end + 1)
    }
    length += rest.length
    if (length > MAX_LINE_BYTES) throw new Error(`a line is longer than ${MAX_LINE_BYTES} bytes`)
    if (rest.length > 0) parts.push(rest)
  }
  if (parts.length > 0) yield { text: textOf(Buffer.concat(parts)), isEnded: false }
}
