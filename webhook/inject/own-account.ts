// The ServiceAccount of its own that a server gets in the place of its namespace's `default`, where the floor asks for it: by
// that account it is told apart from everything else in the namespace, by whatever goes by accounts. The controller makes it
// (webhook/controller/accounts.ts); a pod is refused by the API server until it is there. Pods that are somebody by the account
// that they have, and those that nobody makes again, keep it. Pure.

import { at, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { COMPANION_PREFIX } from '../../shared/names.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isPluginVolumeName } from './api-token.ts'
import { isMadeAgain } from './made-again.ts'
import { MESH_AUDIENCE } from './mesh.ts'
import { nameOf } from './pod.ts'
import { serverLabel } from './server-label.ts'
import type { Subject } from './subject.ts'
import { chooseToken } from './token.ts'
import { isReservedVolume } from './volumes.ts'

/** The API server has two, and fills in the second by the first. */
const FIELDS = ['serviceAccountName', 'serviceAccount'] as const
const DEFAULT = 'default'
const EVERY = '*'

/** Of a server by its label: a kind and a name of Kubernetes', so that it is a name, too. */
export const ownAccountName = (label: string): string => `${COMPANION_PREFIX}${label}`

/** Whether servers of a namespace are to have their own; companions are the controller's, and so are accounts. */
export const asksOwnAccounts = (
  namespace: Pick<Namespace, 'name'>,
  config: Pick<ClusterConfig, 'companions' | 'floor' | 'systemNamespaces'>,
): boolean => {
  const { ownServiceAccounts: asked } = config.floor
  return (
    config.companions !== undefined &&
    (asked.includes(EVERY) || asked.includes(namespace.name)) &&
    !isSystem(namespace, config)
  )
}

/** Whether a volume holds what its account proves, for anybody but the API server's own plugin, the sidecar or a mesh. */
const provesAccount = (volume: JsonObject): boolean => {
  const name = nameOf(volume)
  if (isReservedVolume(name) || isPluginVolumeName(name)) return false
  if (at(volume, 'csi') !== undefined) return true
  return objectsAt(volume, 'projected', 'sources').some(
    (source) =>
      at(source, 'serviceAccountToken') !== undefined &&
      !MESH_AUDIENCE.test(stringAt(source, 'serviceAccountToken', 'audience') ?? ''),
  )
}

const AZURE = 'azure.workload.identity/use'
const VAULT = 'vault.hashicorp.com/agent-inject'

/** Why a pod keeps its account; undefined: for no reason. */
const whyKept = (subject: Subject): string | undefined => {
  const { pod, namespace } = subject
  if (chooseToken(subject).isAllowed) return 'it has a token for the Kubernetes API, by its rights'
  if (namespace.defaultAccount === 'at-cloud')
    return 'annotations of that account say what it is at a cloud'
  if (namespace.defaultAccount === 'unknown')
    return 'nobody here could read whether that account is somebody at a cloud (`outrigger doctor` says why)'
  if (stringAt(pod, 'metadata', 'labels', AZURE) === 'true') return `it has the label ${AZURE}`
  if (stringAt(pod, 'metadata', 'annotations', VAULT) === 'true')
    return `it has the annotation ${VAULT}`
  const volume = objectsAt(pod, 'spec', 'volumes').find(provesAccount)
  if (volume) return `its volume ${nameOf(volume)} may hold what that account proves`
  return isMadeAgain(subject)
    ? undefined
    : 'nobody makes it again until an account of its own is there'
}

export interface AccountChoice {
  /** By which account it will run. */
  readonly name: string
  readonly warnings: readonly string[]
}

/** By which account the pod will run. */
export const chooseAccount = (subject: Subject): AccountChoice => {
  const { pod, namespace, config, workload } = subject
  const said = FIELDS.flatMap((field) => stringAt(pod, 'spec', field) ?? [])
  const name = said.find((text) => text !== '') ?? DEFAULT
  if (name !== DEFAULT || !asksOwnAccounts(namespace, config)) return { name, warnings: [] }
  const why = whyKept(subject)
  if (why === undefined) return { name: ownAccountName(serverLabel(pod, workload)), warnings: [] }
  const warning = `pod: keeps the ServiceAccount ${DEFAULT}, which all pods of its namespace may share, since ${why}; name one of its own (spec.serviceAccountName)`
  return { name, warnings: [warning] }
}

/** Also by the name that the API server has for it from before. Where none is written, nobody has asked the API server yet, who gives pods what they pull images with by their account as it was. */
export const withAccount = (pod: JsonObject, name: string): JsonObject =>
  FIELDS.reduce<JsonObject>(
    (current, field) =>
      at(current, 'spec', field) === undefined ? current : withAt(current, ['spec', field], name),
    pod,
  )
