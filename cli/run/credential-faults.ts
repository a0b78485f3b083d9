// What is wrong with the credentials by which `run` is to ask about tokens: the sidecar would tell it at the first of them.

import { clientAuthorization } from '../../sidecar/identity/client-credentials.ts'

/** None where they can be read, or where there are to be none. */
export const credentialFaults = async (
  dir: string | undefined,
  what = '--introspection-credentials',
): Promise<readonly string[]> => {
  if (dir === undefined) return []
  const found = await clientAuthorization(dir)
  return found.ok ? [] : [`${what} ${found.error}`]
}
