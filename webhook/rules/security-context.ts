// The rules of security contexts, on a pod as it will be stored: what is absent there stays absent, so
// it counts as it would for the kubelet. A container's own word stands before the pod's. Pure.

import {
  at,
  objectAt,
  objectsAt,
  stringAt,
  stringsAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { APPARMOR, SAFE_SYSCTLS, SELINUX_TYPES } from '../inject/security.ts'
import { quoted, type Finding } from './finding.ts'
import { ofEach, type Check, type Judged } from './judged.ts'

const CONTEXT = 'securityContext'

/** A member of a container's context, else of the pod's. */
const effective = (container: JsonObject, { pod }: Judged, ...path: readonly string[]) =>
  at(container, CONTEXT, ...path) ?? at(pod, 'spec', CONTEXT, ...path)

const said = (path: string, value: Json | undefined): string =>
  value === undefined ? `${path} is not set` : `${path}: ${quoted(value)}`

export const privileged: Check = ofEach((container) =>
  at(container, CONTEXT, 'privileged') === true ? 'privileged: true' : undefined,
)

export const privilegeEscalation: Check = ofEach((container) => {
  const value = at(container, CONTEXT, 'allowPrivilegeEscalation')
  return value === false ? undefined : said('allowPrivilegeEscalation', value)
})

const names = (container: JsonObject, list: string): readonly string[] =>
  stringsAt(container, CONTEXT, 'capabilities', list) ?? []

export const capabilities: Check = ofEach((container) => {
  const added = names(container, 'add').filter((name) => name !== 'NET_BIND_SERVICE')
  if (added.length > 0) return said('capabilities.add', added)
  const drop = at(container, CONTEXT, 'capabilities', 'drop')
  return names(container, 'drop').includes('ALL') ? undefined : said('capabilities.drop', drop)
})

export const runAsNonRoot: Check = ofEach((container, judged) => {
  const uid = effective(container, judged, 'runAsUser')
  if (uid === 0) return 'runAsUser: 0'
  const value = effective(container, judged, 'runAsNonRoot')
  return value === true ? undefined : said('runAsNonRoot', value)
})

export const seccomp: Check = ofEach((container, judged) => {
  const type = effective(container, judged, 'seccompProfile', 'type')
  const isProfile = type === 'RuntimeDefault' || type === 'Localhost'
  return isProfile ? undefined : said('seccompProfile.type', type)
})

export const appArmor: Check = (judged) => {
  const profiles = ofEach((container) =>
    effective(container, judged, 'appArmorProfile', 'type') === 'Unconfined'
      ? 'appArmorProfile.type: "Unconfined"'
      : undefined,
  )
  const annotations = Object.entries(objectAt(judged.pod, 'metadata', 'annotations'))
    .filter(([name, value]) => name.startsWith(APPARMOR) && value === 'unconfined')
    .map(([name]) => ({ where: 'pod', found: `annotation ${name}: "unconfined"`, part: name }))
  return [...profiles(judged), ...annotations]
}

const selinuxFault = (options: JsonObject): string | undefined => {
  const [type, user, role] = ['type', 'user', 'role'].map((name) => stringAt(options, name) ?? '')
  if (!SELINUX_TYPES.includes(type ?? '')) return `seLinuxOptions.type: ${quoted(type)}`
  if (user !== '') return `seLinuxOptions.user: ${quoted(user)}`
  return role === '' ? undefined : `seLinuxOptions.role: ${quoted(role)}`
}

export const seLinux: Check = (judged) => {
  const own = selinuxFault(objectAt(judged.pod, 'spec', CONTEXT, 'seLinuxOptions'))
  const each = ofEach((container) => selinuxFault(objectAt(container, CONTEXT, 'seLinuxOptions')))
  return [...(own === undefined ? [] : [{ where: 'pod', found: own }]), ...each(judged)]
}

export const procMount: Check = ofEach((container) => {
  const value = at(container, CONTEXT, 'procMount')
  return value === undefined || value === 'Default' ? undefined : said('procMount', value)
})

const MAX_NAMED = 5

export const sysctls: Check = ({ pod }): readonly Finding[] => {
  const unsafe = objectsAt(pod, 'spec', CONTEXT, 'sysctls')
    .map((item) => stringAt(item, 'name') ?? '')
    .filter((name) => !SAFE_SYSCTLS.has(name))
  return unsafe.length === 0
    ? []
    : [{ where: 'pod', found: `sysctls: ${quoted(unsafe.slice(0, MAX_NAMED))}` }]
}

export const readOnlyRoot: Check = ofEach((container) => {
  const value = at(container, CONTEXT, 'readOnlyRootFilesystem')
  return value === true ? undefined : said('readOnlyRootFilesystem', value)
})

const isHostProcess = (object: JsonObject): boolean =>
  at(object, CONTEXT, 'windowsOptions', 'hostProcess') === true

/** Whether the pod is for Windows, or asks for what only Windows has. */
export const linux: Check = ({ pod, containers }) => {
  const os = stringAt(pod, 'spec', 'os', 'name')
  const selected = stringAt(pod, 'spec', 'nodeSelector', 'kubernetes.io/os')
  const owners = [
    ...(isHostProcess(objectAt(pod, 'spec')) ? ['pod'] : []),
    ...containers.filter(({ container }) => isHostProcess(container)).map(({ where }) => where),
  ]
  return [
    ...(os === 'windows' ? [{ where: 'pod', found: 'os.name: "windows"' }] : []),
    ...(selected === 'windows'
      ? [{ where: 'pod', found: 'nodeSelector kubernetes.io/os: "windows"' }]
      : []),
    ...owners.map((where) => ({ where, found: 'windowsOptions.hostProcess: true' })),
  ]
}
