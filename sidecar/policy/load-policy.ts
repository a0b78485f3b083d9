// The tool policy, where there is one: else nothing of it is loaded, CEL least of all.

import type { PolicyParts, StartedPolicy } from './start-policy.ts'

/** Rejects with everything that is wrong with the policy. `onChange`: another one holds. */
export const loadPolicy = async (
  path: string | undefined,
  parts: PolicyParts,
  onChange: () => void,
): Promise<StartedPolicy | undefined> => {
  if (path === undefined) return undefined
  const { startPolicy } = await import('./start-policy.ts')
  return startPolicy(path, parts, onChange)
}
