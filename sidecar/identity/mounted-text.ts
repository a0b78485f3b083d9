// A small file that a Secret, a ConfigMap or a token is mounted as: read anew whenever it is needed, so that one that has
// changed counts at once.

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { codeOf } from '../../shared/error-code.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** A pipe in its place keeps nobody waiting, neither us nor whatever else reads files. */
const AT_ONCE = constants.O_RDONLY | constants.O_NONBLOCK

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory, and a file is wanted',
  ENOENT: 'is not there',
}

const unreadable = (code: string): string => WORDS[code] ?? `cannot be read (${code})`

/** What it holds, without the line end that editors put behind it; else what is wrong. */
export const mountedText = async (
  path: string,
  maxBytes: number,
): Promise<Result<string, string>> => {
  const file = await open(path, AT_ONCE).catch((error: unknown) => codeOf(error))
  if (typeof file === 'string') return fail(`${path} ${unreadable(file)}`)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes + 1))
    const text = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '')
    if (bytesRead > maxBytes) return fail(`${path} has more than ${maxBytes} bytes`)
    return text === '' ? fail(`${path} is empty`) : ok(text)
  } catch (error) {
    return fail(`${path} ${unreadable(codeOf(error))}`)
  } finally {
    await file.close()
  }
}
