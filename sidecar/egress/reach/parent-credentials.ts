// How the sidecar names itself to a company's own proxy: two files, read anew for each connection. They go to that proxy alone.

import { join } from 'node:path'
import { PASSWORD_KEY, USERNAME_KEY } from '../../../shared/names.ts'
import { fail, ok, type Result } from '../../../shared/result.ts'
import { mountedText } from '../../identity/mounted-text.ts'

const MAX_BYTES = 4096

/** The value of Proxy-Authorization; else why there is none. */
export const parentAuthorization = async (dir: string): Promise<Result<string, string>> => {
  const user = await mountedText(join(dir, USERNAME_KEY), MAX_BYTES)
  if (!user.ok) return user
  if (user.value.includes(':')) return fail(`${join(dir, USERNAME_KEY)} has a colon in it`)
  const password = await mountedText(join(dir, PASSWORD_KEY), MAX_BYTES)
  if (!password.ok) return password
  return ok(`Basic ${Buffer.from(`${user.value}:${password.value}`).toString('base64')}`)
}
