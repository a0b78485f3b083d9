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
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { isExempt } from '../inject/exempt.ts'
import { nameOf, ownSidecar } from '../inject/pod.ts'
import { mayBeRoot } from '../inject/security.ts'
import { quoted, type Finding } from './finding.ts'
import { everyContainer, ofEach, type Check } from './judged.ts'

const CONTEXT = 'securityContext'

const said = (path: string, value: Json | undefined): string =>
  value === undefined ? `${path} is not set` : `${path}: ${quoted(value)}`

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const SELINUX_TYPES: readonly string[] = [
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]
// Of the baseline Pod Security Standard; the others reach beyond the pod.
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
])

/** A member that a container has from the pod where it says nothing: judged once, where it is said. */
const ofBoth =
  (path: readonly string[], wrongWith: (value: Json | undefined) => string | undefined): Check =>
  (judged) => {
    const ofPod = at(judged.pod, 'spec', CONTEXT, ...path)
    const found = ofPod === undefined ? undefined : wrongWith(ofPod)
    const each = ofEach((container) => {
      const own = at(container, CONTEXT, ...path)
      return own === undefined && ofPod !== undefined ? undefined : wrongWith(own)
    })
    return [...(found === undefined ? [] : [{ where: 'pod', found }]), ...each(judged)]
  }

export const privileged: Check = ofEach((container) =>
  at(container, CONTEXT, 'privileged') === true ? 'privileged: true' : undefined,
)

/** Of containers that the floor exempts: what no entry excuses. */
const ofExempt =
  (wrongWith: (container: JsonObject, pod: JsonObject) => string | undefined): Check =>
  ({ pod, floor }) =>
    everyContainer(pod)
      .filter((container) => isExempt(container, floor))
      .flatMap((container) => {
        const found = wrongWith(container, pod)
        return found === undefined ? [] : [{ where: `container ${nameOf(container)}`, found }]
      })

const escalates = (container: JsonObject): string | undefined => {
  const value = at(container, CONTEXT, 'allowPrivilegeEscalation')
  return value === false ? undefined : said('allowPrivilegeEscalation', value)
}

export const privilegeEscalation: Check = (judged) => [
  ...ofEach(escalates)(judged),
  ...ofExempt(escalates)(judged),
]

const names = (container: JsonObject, list: string): readonly string[] =>
  stringsAt(container, CONTEXT, 'capabilities', list) ?? []

const keepsAny = (container: JsonObject): string | undefined => {
  const drop = at(container, CONTEXT, 'capabilities', 'drop')
  return names(container, 'drop').includes('ALL') ? undefined : said('capabilities.drop', drop)
}

const hasCapabilities = ofEach((container) => {
  const added = names(container, 'add').filter((name) => name !== 'NET_BIND_SERVICE')
  return added.length > 0 ? said('capabilities.add', added) : keepsAny(container)
})
/** Linkerd's drop none, and run as nobody who had any. */
const isRootWithCapabilities = ofExempt((container, pod) =>
  mayBeRoot(pod, container) ? keepsAny(container) : undefined,
)

export const capabilities: Check = (judged) => [
  ...hasCapabilities(judged),
  ...isRootWithCapabilities(judged),
]

const notRoot = ofBoth(['runAsNonRoot'], (value) =>
  value === true ? undefined : said('runAsNonRoot', value),
)
const noRoot = ofBoth(['runAsUser'], (uid) => (uid === 0 ? 'runAsUser: 0' : undefined))

export const runAsNonRoot: Check = (judged) => [...noRoot(judged), ...notRoot(judged)]

export const seccomp: Check = ofBoth(['seccompProfile', 'type'], (type) =>
  type === 'RuntimeDefault' || type === 'Localhost' ? undefined : said('seccompProfile.type', type),
)

const profiles = ofBoth(['appArmorProfile', 'type'], (type) =>
  type === 'Unconfined' ? said('appArmorProfile.type', type) : undefined,
)

export const appArmor: Check = (judged) => [
  ...profiles(judged),
  ...Object.entries(objectAt(judged.pod, 'metadata', 'annotations'))
    .filter(([name, value]) => name.startsWith(APPARMOR) && value === 'unconfined')
    .map(([name]) => ({ where: 'pod', found: `annotation ${name}: "unconfined"`, part: name })),
]

const selinuxFault = (options: JsonObject): string | undefined => {
  const [type, user, role] = ['type', 'user', 'role'].map((name) => stringAt(options, name) ?? '')
  if (!SELINUX_TYPES.includes(type ?? '')) return `seLinuxOptions.type: ${quoted(type)}`
  if (user !== '') return `seLinuxOptions.user: ${quoted(user)}`
  return role === '' ? undefined : `seLinuxOptions.role: ${quoted(role)}`
}

const ownOptions = (object: JsonObject): string | undefined =>
  selinuxFault(objectAt(object, CONTEXT, 'seLinuxOptions'))

/** The sidecar's too: a platform fills them in, and so could anybody. */
export const seLinux: Check = (judged) => {
  const owners = [
    { where: 'pod', found: ownOptions(objectAt(judged.pod, 'spec')) },
    { where: `container ${SIDECAR_CONTAINER}`, found: ownOptions(ownSidecar(judged.pod) ?? {}) },
  ]
  const own = owners.flatMap(({ where, found }) => (found === undefined ? [] : [{ where, found }]))
  return [...own, ...ofEach(ownOptions)(judged)]
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
