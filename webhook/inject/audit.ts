// What is put on record of a pod's calls, and the room for it: a file and the full ones before it always stay below what
// the volume may hold, since the kubelet evicts a pod that goes beyond. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import {
  AUDIT_DIR,
  AUDIT_FILE,
  AUDIT_KEY_DIR,
  SIDECAR_CONTAINER,
  SIGNING_KEY,
} from '../../shared/names.ts'
import type { Settings } from '../../shared/settings.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { formatQuantity } from '../settings/quantity.ts'
import type { Resolution } from '../settings/resolve.ts'
import { CLUSTER } from '../settings/scopes.ts'
import { members } from './pod.ts'

/** Of so many parts one is the file that is written, and so many are full ones; the others are for what is between two looks. */
const PARTS = 8
const KEPT_PARTS = 5
/** What the kubelet keeps of a container's output counts to the same limit. */
const LOG_BYTES = 64 * 1024 * 1024

const STORAGE = 'ephemeral-storage'

const text = (bytes: number): string => formatQuantity(BigInt(bytes) * 10n ** 9n, 'memory')

type Texts = Readonly<Record<string, string>>
type Sized = Pick<Settings, 'audit-sink' | 'audit-size'>

/** The volume of the file; undefined where there is none. */
export const auditVolume = (settings: Sized): JsonObject | undefined =>
  settings['audit-sink'] === 'file' ? { sizeLimit: text(settings['audit-size']) } : undefined

const fileFor = (bytes: number) => {
  const maxFileBytes = Math.floor(bytes / PARTS)
  return {
    file: `${AUDIT_DIR}/${AUDIT_FILE}`,
    maxFileBytes,
    keepBytes: KEPT_PARTS * maxFileBytes,
  }
}

/** What is known of the server whose calls are recorded. */
export type About = NonNullable<NonNullable<SidecarDocument['audit']>['about']>

/** The sidecar's part of it. */
export const auditIn = (
  settings: Settings,
  { audit: rules }: Pick<ClusterConfig, 'audit'>,
  about: About,
): Pick<SidecarDocument, 'audit'> => {
  const sink = settings['audit-sink']
  if (sink === undefined) return {}
  return {
    audit: {
      about,
      ...rules,
      ...(sink === 'file' ? fileFor(settings['audit-size']) : {}),
      level: settings['audit-level'],
      onFailure: settings['audit-on-failure'],
      attempts: settings['audit-attempts'],
      ...(settings['audit-signing-secret'] === undefined
        ? {}
        : { checkpointKey: `${AUDIT_KEY_DIR}/${SIGNING_KEY}` }),
    },
  }
}

const hasStorageLimit = (pod: JsonObject): boolean =>
  members(pod).some(
    ({ name, container }) =>
      name !== SIDECAR_CONTAINER && at(container, 'resources', 'limits', STORAGE) !== undefined,
  )

/**
 * What the sidecar asks of the node's disk. A limit only beside others': the kubelet holds a whole pod to the sum of those
 * that there are.
 */
export const auditStorage = (
  pod: JsonObject,
  settings: Sized,
): { readonly requests: Texts; readonly limits: Texts } => {
  if (auditVolume(settings) === undefined) return { requests: {}, limits: {} }
  const bytes = settings['audit-size']
  return {
    requests: { [STORAGE]: text(bytes) },
    limits: hasStorageLimit(pod) ? { [STORAGE]: text(bytes + LOG_BYTES) } : {},
  }
}

const NEEDS_SINK = [
  'audit-attempts',
  'audit-on-failure',
  'audit-size',
] as const satisfies readonly Key[]

/** What is said in vain. */
export const auditWarnings = ({ settings, placed }: Resolution): readonly string[] => {
  const sink = settings['audit-sink']
  const inVain = NEEDS_SINK.filter(
    (key) => sink === undefined || (key === 'audit-size' && sink === 'stdout'),
  )
  return inVain.flatMap((key) => {
    const { where, isDefault = true } = placed.get(key) ?? {}
    const lack = sink === undefined ? `without ${PREFIX}audit-sink` : `with audit-sink: ${sink}`
    return isDefault || where === CLUSTER
      ? []
      : [`${where}: ${PREFIX}${key}: nothing acts on it ${lack}`]
  })
}
