// A manifest's text, from a file, a pipe or standard input, bounded and decoded: what says `-f` may be anything.

import { createReadStream } from 'node:fs'
import { fail, ok, type Result } from '../../shared/result.ts'
import { decodeSource, type Source } from './source.ts'
import { fileWords } from '../output/system-words.ts'

const MAX_BYTES = 64 * 1024 * 1024

/** A file's text and its encoding, or standard input's for `-`; the error names the file. */
export const readSource = async (file: string): Promise<Result<Source, string>> => {
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
    const source = decodeSource(Buffer.concat(chunks))
    return source.ok ? source : fail(`${file}: ${source.error}`)
  } catch (error) {
    return fail(`${file}: ${fileWords(error)}`)
  }
}

/** The same without the encoding. */
export const readText = async (file: string): Promise<Result<string, string>> => {
  const source = await readSource(file)
  return source.ok ? ok(source.value.text) : source
}
