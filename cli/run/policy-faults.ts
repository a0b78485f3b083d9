// What is wrong with the tool policy that `run` is to serve by, each fault a line: the sidecar would tell them in one.

import { placedWords } from '../../shared/placed-fault.ts'
import { readText } from '../command/read-text.ts'

/** None where it can be used, or where there is no policy; then nothing of CEL is loaded either. */
export const policyFaults = async (path: string | undefined): Promise<readonly string[]> => {
  if (path === undefined) return []
  const text = await readText(path)
  if (!text.ok) return [`--tool-policy ${text.error}`]
  const { readPolicy } = await import('../../shared/policy/policy.ts')
  const read = readPolicy(text.value)
  return read.ok ? [] : read.error.map((fault) => `--tool-policy ${path}: ${placedWords(fault)}`)
}
