// What is wrong with the tool policy and the tool lock that `run` is to serve by, each fault a line: the sidecar would tell
// them in one.

import { LOCK_KEY, POLICY_KEY } from '../../shared/names.ts'
import type { Result } from '../../shared/result.ts'
import { placedWords, type PlacedFault } from '../../shared/placed-fault.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { inConfigMap } from '../command/in-config-map.ts'
import { readText } from '../command/read-text.ts'

type Reader = (text: string) => Result<unknown, readonly PlacedFault[]>

/** Loaded where there is such a document alone: a policy brings CEL. */
const policyReader = async (): Promise<Reader> =>
  (await import('../../shared/policy/policy.ts')).readPolicy
const lockReader = async (): Promise<Reader> => (await import('../../shared/lock/lock.ts')).readLock

/** The sidecar reads the file again and again, as it is. */
const wrapped = (where: string): string =>
  `it is a ConfigMap: put what stands under ${where.replace(': ', '')} into a file of its own; outrigger dev -f takes manifests`

const faultsOf = async (
  flag: string,
  key: string,
  path: string | undefined,
  reader: () => Promise<Reader>,
): Promise<readonly string[]> => {
  if (path === undefined) return []
  const text = await readText(path)
  if (!text.ok) return [`${flag} ${text.error}`]
  const inner = inConfigMap(text.value, key)
  if (!inner.ok) return [`${flag} ${path}: ${inner.error}`]
  if (inner.value.where !== '') return [`${flag} ${path}: ${wrapped(inner.value.where)}`]
  const read = (await reader())(text.value)
  return read.ok ? [] : read.error.map((fault) => `${flag} ${path}: ${placedWords(fault)}`)
}

/** None where they can be used, or where there are none. */
export const documentFaults = async ({
  toolPolicy,
  toolLock,
}: Pick<SidecarConfig, 'toolPolicy' | 'toolLock'>): Promise<readonly string[]> => [
  ...(await faultsOf('--tool-policy', POLICY_KEY, toolPolicy, policyReader)),
  ...(await faultsOf('--tool-lock', LOCK_KEY, toolLock, lockReader)),
]
