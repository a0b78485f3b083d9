// The ServiceAccount token: kept for the server alone where somebody asks for it and the floor
// allows it, else not mounted, and taken out where the API server's own plugin, which runs before
// webhooks, has already mounted it. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { apiTokenVolumes, isPluginVolumeName } from './api-token.ts'
import { mapContainers, members, nameOf, type Member } from './pod.ts'
import type { Subject } from './subject.ts'

export interface TokenChoice {
  /** The server's container keeps its token. */
  readonly isKept: boolean
  /** It may have one, that or its author's own. */
  readonly isAllowed: boolean
  readonly warnings: readonly string[]
  readonly violations: readonly Violation[]
}

const KEY = `${PREFIX}needs-kube-api`
const AUTOMOUNT = 'automountServiceAccountToken'

const taken = (...warnings: readonly string[]): TokenChoice => ({
  isKept: false,
  isAllowed: false,
  warnings,
  violations: [],
})

/** Who has set the annotation, where somebody has. */
const whereSaid = ({ resolution }: Subject): string | undefined => {
  const placed = resolution.placed.get('needs-kube-api')
  return placed?.isDefault === false ? placed.where : undefined
}

/** What becomes of the token that the API server mounts by itself. */
const chooseMounted = (subject: Subject): TokenChoice => {
  const { pod, config, resolution } = subject
  if (resolution.settings['needs-kube-api'])
    return { isKept: true, isAllowed: true, warnings: [], violations: [] }
  const said = whereSaid(subject)
  const account = stringAt(pod, 'spec', 'serviceAccountName') ?? 'default'
  if (at(pod, 'spec', AUTOMOUNT) !== true) {
    if (account === 'default' || said !== undefined || at(pod, 'spec', AUTOMOUNT) === false)
      return taken()
    return taken(
      `pod: the token of its ServiceAccount ${account} is not mounted; if the server calls the Kubernetes API, set ${KEY}: "true"`,
    )
  }
  if (said !== undefined)
    return taken(`pod: ${AUTOMOUNT}: true; ${said} sets ${KEY}: "false": taken`)
  if (config.floor.allowKubeApi) {
    const kept = `pod: ${AUTOMOUNT}: true counts as ${KEY}: "true": the token of ServiceAccount ${account} stays in the server's container, and in no other`
    return { isKept: true, isAllowed: true, warnings: [kept], violations: [] }
  }
  const message = `pod: ${AUTOMOUNT}: true asks for the token of ServiceAccount ${account}, as ${KEY}: "true" does, and the cluster configuration forbids it; leave it out, or ask the platform team for floor.allowKubeApi`
  return { ...taken(), violations: [violation('floor', message)] }
}

const VAULT = ['vault-agent-init', 'vault-agent']

/** Vault's agent logs in by the token that is mounted where it is added, and ends without one. */
const vaultWarnings = (pod: JsonObject): readonly string[] => {
  const names = pluginVolumes(pod)
  const first = members(pod).find(
    ({ name, container }) =>
      VAULT.includes(name) &&
      objectsAt(container, 'volumeMounts').some((mount) => names.has(nameOf(mount))),
  )
  return first === undefined
    ? []
    : [
        `container ${first.name}: the token that it logs in with is taken; project one with an audience, and name its volume in vault.hashicorp.com/agent-service-account-token-volume-name`,
      ]
}

/** What becomes of the tokens for the Kubernetes API: the annotation's word, else what the pod's own fields ask for. */
export const chooseToken = (subject: Subject): TokenChoice => {
  const mounted = chooseMounted(subject)
  const choice = { ...mounted, warnings: [...mounted.warnings, ...vaultWarnings(subject.pod)] }
  const { pod, config, resolution } = subject
  const plugins = pluginVolumes(pod)
  const volumes = apiTokenVolumes(pod, config.floor).filter((name) => !plugins.has(name))
  const isSaid = whereSaid(subject) !== undefined
  if (volumes.length === 0 || resolution.settings['needs-kube-api']) return choice
  // The rule `api-token` denies it.
  if (isSaid || !config.floor.allowKubeApi) return choice
  const kept = `pod: volume ${volumes.join(', ')} holds a token for the Kubernetes API, which counts as ${KEY}: "true"; set that, and leave the volume out`
  return { ...choice, isAllowed: true, warnings: [...choice.warnings, kept] }
}

const isPluginVolume = (volume: JsonObject): boolean =>
  isPluginVolumeName(nameOf(volume)) && at(volume, 'projected') !== undefined

const withoutNames = (list: readonly JsonObject[], names: ReadonlySet<string>) =>
  list.filter((item) => !names.has(nameOf(item)))

const pluginVolumes = (pod: JsonObject): ReadonlySet<string> =>
  new Set(objectsAt(pod, 'spec', 'volumes').filter(isPluginVolume).map(nameOf))

/** The pod without the mounts of some volumes, but in the containers that keep them. */
const unmount = (
  pod: JsonObject,
  names: ReadonlySet<string>,
  keeps: (member: Member) => boolean,
): JsonObject =>
  mapContainers(pod, (member) => {
    const { container } = member
    if (keeps(member) || at(container, 'volumeMounts') === undefined) return container
    const mounts = withoutNames(objectsAt(container, 'volumeMounts'), names)
    return withAt(container, ['volumeMounts'], mounts)
  })

/** The pod without the default token, in any container. */
export const removeToken = (pod: JsonObject): JsonObject => {
  const off = withAt(pod, ['spec', AUTOMOUNT], false)
  const names = pluginVolumes(pod)
  if (names.size === 0) return off
  const volumes = withoutNames(objectsAt(pod, 'spec', 'volumes'), names)
  return unmount(withAt(off, ['spec', 'volumes'], volumes), names, () => false)
}

/** The pod with the default token in the server's container alone. */
export const keepTokenIn = (pod: JsonObject, server: string): JsonObject => {
  const names = pluginVolumes(pod)
  return names.size === 0
    ? pod
    : unmount(pod, names, ({ list, name }) => list === 'containers' && name === server)
}
