// A manifest's text, from a file, a pipe or standard input, bounded: what says `-f` may be anything.

import { createReadStream } from 'node:fs'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

const MAX_BYTES = 64 * 1024 * 1024

/** A file's text, or standard input's for `-`; the error names the file. */
export const readText = async (file: string): Promise<Result<string, string>> => {
  const chunks: Buffer[] = []
  let length = 0
  try {
    const stream = file === '-' ? createReadStream('', { fd: 0 }) : createReadStream(file)
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk)
      length += bytes.length
      if (length > MAX_BYTES) {
        return fail(`${file}: exceeds ${MAX_BYTES} bytes; take it in several parts`)
      }
      chunks.push(bytes)
    }
    return ok(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    return fail(`${file}: ${messageOf(error)}`)
  }
}
