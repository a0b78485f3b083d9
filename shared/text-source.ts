// Where a text is read from that somebody else keeps: a file that a ConfigMap or Secret mounts. Bounded; a device or a
// pipe is never opened.

import { open, stat } from 'node:fs/promises'
import { messageOf } from './message.ts'
import { isMissingFile } from './missing-file.ts'
import { fail, ok, type Result } from './result.ts'

export interface TextSource {
  /** How a person finds it: its path. */
  readonly name: string
  /** Equal as long as there is nothing new to read. */
  readonly stamp: () => Promise<string>
  /** Undefined where there is no such file; an error is a sentence. */
  readonly read: () => Promise<Result<string | undefined, string>>
}

const textOf = async (path: string, maxBytes: number): Promise<Result<string, string>> => {
  const about = await stat(path)
  if (!about.isFile()) return fail(`it is ${about.isDirectory() ? 'a directory' : 'no file'}`)
  const file = await open(path)
  try {
    if ((await file.stat()).size > maxBytes) return fail(`it exceeds ${maxBytes} bytes`)
    const bytes = await file.readFile()
    try {
      return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      return fail('it is no UTF-8')
    }
  } finally {
    await file.close()
  }
}

export const textFile = (path: string, maxBytes: number): TextSource => ({
  name: path,
  stamp: () =>
    stat(path).then(
      ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '),
      messageOf,
    ),
  read: async () => {
    try {
      return await textOf(path, maxBytes)
    } catch (error) {
      return isMissingFile(error) ? ok(undefined) : fail(`it cannot be read: ${messageOf(error)}`)
    }
  },
})
