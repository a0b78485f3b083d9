// The credentials by which an issuer is asked about tokens: two files. They go to the issuer alone.

import { join } from 'node:path'
import { CLIENT_ID_KEY, CLIENT_SECRET_KEY } from '../../shared/names.ts'
import { ok, type Result } from '../../shared/result.ts'
import { mountedText } from './mounted-text.ts'

const MAX_BYTES = 4096

/** As a form has it (RFC 6749, section 2.3.1). */
const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

/** The value of Authorization by which a client proves who it is; else why it cannot. */
export const clientAuthorization = async (dir: string): Promise<Result<string, string>> => {
  const id = await mountedText(join(dir, CLIENT_ID_KEY), MAX_BYTES)
  if (!id.ok) return id
  const secret = await mountedText(join(dir, CLIENT_SECRET_KEY), MAX_BYTES)
  if (!secret.ok) return secret
  const pair = `${encoded(id.value)}:${encoded(secret.value)}`
  return ok(`Basic ${Buffer.from(pair).toString('base64')}`)
}
