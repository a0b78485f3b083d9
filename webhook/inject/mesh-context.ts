// How weak the security context of a container that the floor exempts may be: as it is excused, and no weaker. Pure.

import { at, numberAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { Excuse, Exemption } from '../settings/exemption.ts'
import { meshForm } from './mesh.ts'

/** What redirecting a pod's traffic needs. */
const MESH_CAPABILITIES: readonly string[] = ['NET_ADMIN', 'NET_RAW', 'NET_BIND_SERVICE']

const weakCapabilities = (container: JsonObject, isExcused: boolean): string | undefined => {
  const path = ['securityContext', 'capabilities', 'add'] as const
  if (at(container, ...path) === undefined) return undefined
  const added = stringsAt(container, ...path) ?? ['?']
  const foreign = added.filter((name) => !MESH_CAPABILITIES.includes(name))
  if (foreign.length > 0)
    return 'securityContext.capabilities.add has more than NET_ADMIN and NET_RAW'
  return isExcused || added.every((name) => name === 'NET_BIND_SERVICE')
    ? undefined
    : 'securityContext.capabilities.add is not excused (capabilities)'
}

/** What nobody excuses. */
const NEVER: readonly (readonly [readonly string[], (value: unknown) => boolean])[] = [
  [['privileged'], (value) => value === true],
  [['allowPrivilegeEscalation'], (value) => value === true],
  [['procMount'], (value) => value !== 'Default'],
  [['seccompProfile', 'type'], (value) => value === 'Unconfined'],
  [['appArmorProfile', 'type'], (value) => value === 'Unconfined'],
  [['seLinuxOptions'], () => true],
  [['windowsOptions', 'hostProcess'], (value) => value === true],
]

/** What its entry, or what is known of its injector, does not excuse. */
export const weakContext = (container: JsonObject, entry: Exemption): string | undefined => {
  const context = ['securityContext'] as const
  const excuses = new Set<Excuse>(entry.excuses ?? meshForm(entry.name)?.excuses ?? [])
  const never = NEVER.find(([path, isWeak]) => {
    const value = at(container, ...context, ...path)
    return value !== undefined && isWeak(value)
  })
  if (never) return `it sets securityContext.${never[0].join('.')}`
  const isRoot =
    numberAt(container, ...context, 'runAsUser') === 0 ||
    at(container, ...context, 'runAsNonRoot') === false
  if (isRoot && !excuses.has('run-as-non-root'))
    return 'it runs as root, which is not excused (run-as-non-root)'
  const canWrite = at(container, ...context, 'readOnlyRootFilesystem') === false
  if (canWrite && !excuses.has('read-only-root'))
    return 'its root file system can be written, which is not excused (read-only-root)'
  return weakCapabilities(container, excuses.has('capabilities'))
}
