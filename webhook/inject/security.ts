// Security contexts: what is absent is filled in, what is explicitly weaker is denied by name.
// Containers that the floor exempts are left alone. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import {
  at,
  numberAt,
  objectAt,
  stringAt,
  stringsAt,
  withAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import type { IsEnforced } from '../settings/enforced.ts'
import type { RuleId } from '../settings/rule.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { isExempt, whyNotExempt } from './exempt.ts'
import { isMeshName } from './mesh.ts'
import { members, nameOf, ownSidecar } from './pod.ts'

type Path = readonly [string, ...string[]]

interface Rule {
  readonly path: Path
  readonly isWeak: (value: Json) => boolean
  readonly fix: string
  /** The restricted Pod Security Standard does not ask for it: a denial where this rule is enforced. */
  readonly by?: RuleId
}

const is =
  (...weak: readonly Json[]) =>
  (value: Json): boolean =>
    weak.includes(value)

const words = (value: Json): readonly string[] => stringsAt({ value }, 'value') ?? ['?']

export const SELINUX_TYPES: readonly string[] = [
  '',
  'container_t',
  'container_init_t',
  'container_kvm_t',
  'container_engine_t',
]
// Of the baseline Pod Security Standard; the others reach beyond the pod.
export const SAFE_SYSCTLS: ReadonlySet<string | undefined> = new Set([
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
const LEAVE_OUT = 'leave it out'

const POD_RULES: readonly Rule[] = [
  { path: ['runAsNonRoot'], isWeak: is(false), fix: LEAVE_OUT },
  {
    path: ['runAsUser'],
    isWeak: is(0),
    fix: `use another uid (${PREFIX}run-as-user where the image runs as root)`,
  },
  { path: ['seccompProfile', 'type'], isWeak: is('Unconfined'), fix: LEAVE_OUT },
  { path: ['appArmorProfile', 'type'], isWeak: is('Unconfined'), fix: LEAVE_OUT },
  {
    path: ['seLinuxOptions', 'type'],
    isWeak: (value) => !SELINUX_TYPES.some((type) => type === value),
    fix: LEAVE_OUT,
  },
  { path: ['seLinuxOptions', 'user'], isWeak: (value) => value !== '', fix: LEAVE_OUT },
  { path: ['seLinuxOptions', 'role'], isWeak: (value) => value !== '', fix: LEAVE_OUT },
  { path: ['windowsOptions', 'hostProcess'], isWeak: is(true), fix: LEAVE_OUT },
]

const SYSCTLS: Rule = {
  path: ['sysctls'],
  isWeak: (value) =>
    !Array.isArray(value) || value.some((item: Json) => !SAFE_SYSCTLS.has(stringAt(item, 'name'))),
  fix: `leave out all but ${[...SAFE_SYSCTLS].join(', ')}`,
}

const CONTAINER_RULES: readonly Rule[] = [
  { path: ['privileged'], isWeak: is(true), fix: LEAVE_OUT },
  { path: ['allowPrivilegeEscalation'], isWeak: is(true), fix: LEAVE_OUT },
  {
    path: ['readOnlyRootFilesystem'],
    by: 'read-only-root',
    isWeak: is(false),
    fix: `leave it out and name the directories that it writes in ${PREFIX}writable-paths`,
  },
  {
    path: ['capabilities', 'add'],
    isWeak: (value) => words(value).some((name) => name !== 'NET_BIND_SERVICE'),
    fix: LEAVE_OUT,
  },
  {
    path: ['capabilities', 'drop'],
    isWeak: (value) => words(value).length > 0 && !words(value).includes('ALL'),
    fix: 'use `["ALL"]` or leave it out',
  },
  { path: ['procMount'], isWeak: (value) => value !== 'Default', fix: LEAVE_OUT },
  ...POD_RULES,
]

const hint = (container: JsonObject, floor: Floor): string => {
  const why = whyNotExempt(container, floor)
  if (why !== undefined) return ` (named in floor.exemptContainers, but not exempt: ${why})`
  return isMeshName(nameOf(container))
    ? ` (if it is the mesh's, the platform team can name it and its image's digest in floor.exemptContainers)`
    : ''
}

const weaknesses = (
  where: string,
  context: JsonObject,
  rules: readonly Rule[],
): readonly Violation[] =>
  rules.flatMap(({ path, isWeak, fix }) => {
    const value = at(context, ...path)
    if (value === undefined || !isWeak(value)) return []
    const text = `${where}: securityContext.${path.join('.')}: ${JSON.stringify(value)} is weaker than what an MCP server gets; ${fix}`
    return violation('weaker-security', text)
  })

export const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'

const appArmor = (pod: JsonObject): readonly Violation[] =>
  Object.entries(objectAt(pod, 'metadata', 'annotations'))
    .filter(([name, value]) => name.startsWith(APPARMOR) && value === 'unconfined')
    .map(([name]) =>
      violation('weaker-security', `pod: annotation ${name}: "unconfined"; ${LEAVE_OUT}`),
    )

/** Whether the rules apply to a container: not our own, not a mesh's. */
export const isJudged = (container: JsonObject, floor: Floor): boolean =>
  nameOf(container) !== SIDECAR_CONTAINER && !isExempt(container, floor)

/** Members of our own container's context that others may have filled in. */
export const KEPT_SECURITY = ['seLinuxOptions', 'runAsGroup'] as const

const ownContext = (pod: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(objectAt(ownSidecar(pod), 'securityContext')).filter(([name]) =>
      KEPT_SECURITY.some((kept) => kept === name),
    ),
  )

const weakContainers = (
  pod: JsonObject,
  floor: Floor,
  rules: readonly Rule[],
): readonly Violation[] =>
  members(pod)
    .filter(({ container }) => isJudged(container, floor))
    .flatMap(({ name, container }) =>
      weaknesses(
        `container ${name}${hint(container, floor)}`,
        objectAt(container, 'securityContext'),
        rules,
      ),
    )

const isDenied =
  (isEnforced: IsEnforced) =>
  ({ by }: Rule): boolean =>
    by === undefined || isEnforced(by)

/** Everything in the pod's and its containers' security contexts that is weaker than is allowed. */
export const securityViolations = (
  pod: JsonObject,
  floor: Floor,
  isEnforced: IsEnforced,
): readonly Violation[] => [
  ...weaknesses('pod', objectAt(pod, 'spec', 'securityContext'), [...POD_RULES, SYSCTLS]),
  ...appArmor(pod),
  ...weaknesses(`container ${SIDECAR_CONTAINER}`, ownContext(pod), POD_RULES),
  ...weakContainers(pod, floor, CONTAINER_RULES.filter(isDenied(isEnforced))),
]

/** What is weaker than the fill-ins and stays, since it is allowed. */
export const securityWarnings = (
  pod: JsonObject,
  floor: Floor,
  isEnforced: IsEnforced,
): readonly string[] => {
  const allowed = CONTAINER_RULES.filter((rule) => !isDenied(isEnforced)(rule))
  return weakContainers(pod, floor, allowed).map(({ message }) => message)
}

const READ_ONLY: Path = ['securityContext', 'readOnlyRootFilesystem']

/** The containers beside the server whose root file system is made read-only since their specs do not say. */
export const rootWarnings = (pod: JsonObject, server: string, floor: Floor): readonly string[] =>
  members(pod)
    .filter(({ list, name }) => list === 'initContainers' || name !== server)
    .filter(
      ({ container }) => isJudged(container, floor) && at(container, ...READ_ONLY) === undefined,
    )
    .map(
      ({ name }) =>
        `container ${name}: its root file system is made read-only, since its spec does not say otherwise; /tmp is writable, and where else it writes mount a volume`,
    )

/** The uid that a container is known to run as from the spec alone. */
export const uidOf = (pod: JsonObject, container: JsonObject): number | undefined =>
  numberAt(container, 'securityContext', 'runAsUser') ??
  numberAt(pod, 'spec', 'securityContext', 'runAsUser')

const fill = (object: JsonObject, path: Path, value: Json): JsonObject =>
  at(object, ...path) === undefined ? withAt(object, path, value) : object

/** The pod with the absent fields of its own security context filled in. */
export const fillPod = (pod: JsonObject): JsonObject => {
  const nonRoot = fill(pod, ['spec', 'securityContext', 'runAsNonRoot'], true)
  return fill(nonRoot, ['spec', 'securityContext', 'seccompProfile'], { type: 'RuntimeDefault' })
}

/** A container with the absent fields filled in that a pod's context cannot give it. */
export const fillContainer = (container: JsonObject): JsonObject => {
  const drop: Path = ['securityContext', 'capabilities', 'drop']
  const escalation = fill(container, ['securityContext', 'allowPrivilegeEscalation'], false)
  const isEmpty = (stringsAt(escalation, ...drop) ?? []).length === 0
  const capabilities = isEmpty ? withAt(escalation, drop, ['ALL']) : escalation
  return fill(capabilities, READ_ONLY, true)
}
