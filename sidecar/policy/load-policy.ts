// The tool policy, where there is one: else nothing of it is loaded, CEL least of all.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { PolicyParts, StartedPolicy } from './start-policy.ts'

/** Rejects with everything that is wrong with the policy. `onChange`: another one holds. */
export const loadPolicy = async (
  { toolPolicy, basePolicy }: Pick<SidecarConfig, 'toolPolicy' | 'basePolicy'>,
  parts: PolicyParts,
  onChange: () => void,
): Promise<StartedPolicy | undefined> => {
  if (toolPolicy === undefined && basePolicy === undefined) return undefined
  const { startPolicy } = await import('./start-policy.ts')
  return startPolicy({ path: toolPolicy, base: basePolicy }, parts, onChange)
}
