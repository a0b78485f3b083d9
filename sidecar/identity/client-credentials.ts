// The credentials by which an issuer is asked about tokens: two files, read anew whenever they are needed, so that a Secret
// that has changed counts at once. They go to the issuer alone.

import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../shared/error-code.ts'
import { CLIENT_ID_KEY, CLIENT_SECRET_KEY } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

const MAX_BYTES = 4096

/** What a file holds, without the line end that editors put behind it. */
const textOf = async (path: string): Promise<Result<string, string>> => {
  const file = await open(path).catch((error: unknown) => codeOf(error))
  if (typeof file === 'string') return fail(`${path} cannot be read (${file})`)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1))
    const text = buffer.toString('utf8', 0, bytesRead).replace(/\r?\n$/, '')
    if (bytesRead > MAX_BYTES) return fail(`${path} has more than ${MAX_BYTES} bytes`)
    return text === '' ? fail(`${path} is empty`) : ok(text)
  } catch (error) {
    return fail(`${path} cannot be read (${codeOf(error)})`)
  } finally {
    await file.close()
  }
}

/** As a form has it (RFC 6749, section 2.3.1). */
const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** The value of Authorization by which a client proves who it is; else why it cannot. */
export const clientAuthorization = async (dir: string): Promise<Result<string, string>> => {
  const id = await textOf(join(dir, CLIENT_ID_KEY))
  if (!id.ok) return id
  const secret = await textOf(join(dir, CLIENT_SECRET_KEY))
  if (!secret.ok) return secret
  const pair = `${encoded(id.value)}:${encoded(secret.value)}`
  return ok(`Basic ${Buffer.from(pair).toString('base64')}`)
}
