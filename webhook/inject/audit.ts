// What is put on record of a pod's calls, and the room for it: a file and the full ones before it always stay below what
// the volume may hold, since the kubelet evicts a pod that goes beyond. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import {
  AUDIT_DIGEST_DIR,
  AUDIT_DIR,
  AUDIT_FILE,
  AUDIT_KEY_DIR,
  AUDIT_VOLUME,
  DIGEST_KEY,
  SIDECAR_CONTAINER,
  SIGNING_KEY,
} from '../../shared/names.ts'
import type { Settings } from '../../shared/settings.ts'
import type { SidecarDocument } from '../../shared/sidecar-config.ts'
import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { NO_COLLECTOR, recordsCa, recordsEndpoint } from '../cluster/pod-rules.ts'
import { formatQuantity } from '../settings/quantity.ts'
import type { Resolution } from '../settings/resolve.ts'
import { CLUSTER } from '../settings/scopes.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { members, nameOf } from './pod.ts'

/** Of so many parts one is the file that is written, and so many are full ones; the others are for what is between two looks. */
const PARTS = 8
const KEPT_PARTS = 5
/** What the kubelet keeps of a container's output counts to the same limit. */
const LOG_BYTES = 64 * 1024 * 1024

const STORAGE = 'ephemeral-storage'

const text = (bytes: number): string => formatQuantity(BigInt(bytes) * 10n ** 9n, 'memory')

type Texts = Readonly<Record<string, string>>
type Sized = Pick<Settings, 'audit-sink' | 'audit-size'>

type Claiming = Pick<ClusterConfig, 'audit'>

/** The volume of the file that goes with its pod; undefined where there is none. */
export const auditVolume = (settings: Sized, { audit }: Claiming): JsonObject | undefined =>
  settings['audit-sink'] === 'file' && audit?.claim === undefined
    ? { sizeLimit: text(settings['audit-size']) }
    : undefined

/** That which stays; undefined where there is none. */
export const auditClaim = (
  settings: Pick<Settings, 'audit-sink'>,
  { audit }: Claiming,
): JsonObject | undefined =>
  settings['audit-sink'] === 'file' && audit?.claim !== undefined
    ? { claimName: audit.claim }
    : undefined

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

type Rules = Pick<ClusterConfig, 'audit' | 'traces'>

/** The collector: for records, or for checkpoints of a file where the cluster configuration says so. */
const collectorIn = (
  { 'audit-sink': sink }: Settings,
  { audit, traces }: Rules,
): Pick<NonNullable<SidecarDocument['audit']>, 'otlp'> => {
  const endpoint = recordsEndpoint(audit, traces)
  const isTold = sink === 'otlp' || (sink === 'file' && audit?.otlp !== undefined)
  const ca = recordsCa(audit, traces)
  return isTold && endpoint !== undefined
    ? { otlp: { endpoint, ...(ca === undefined ? {} : { ca }) } }
    : {}
}

const NO_NAMES: readonly string[] = []

/** What records leave out: the cluster configuration's and the annotation's together. */
const redactIn = (
  { 'audit-redact': names = NO_NAMES, 'audit-digest-secret': secret }: Settings,
  redact: NonNullable<Rules['audit']>['redact'],
): Pick<NonNullable<SidecarDocument['audit']>, 'redact'> => {
  const keys = names.filter((name) => !name.startsWith('$'))
  const paths = names.filter((name) => name.startsWith('$'))
  const all = {
    ...redact,
    ...(keys.length === 0 ? {} : { keys: [...(redact?.keys ?? []), ...keys] }),
    ...(paths.length === 0 ? {} : { paths: [...(redact?.paths ?? []), ...paths] }),
    ...(secret === undefined ? {} : { keyFile: `${AUDIT_DIGEST_DIR}/${DIGEST_KEY}` }),
  }
  return Object.keys(all).length === 0 ? {} : { redact: all }
}

/** The sidecar's part of it. */
export const auditIn = (
  settings: Settings,
  rules: Rules,
  about: About,
): Pick<SidecarDocument, 'audit'> => {
  const sink = settings['audit-sink']
  if (sink === undefined) return {}
  const { otlp: _otlp, claim: _claim, redact, ...own } = rules.audit ?? {}
  return {
    audit: {
      about,
      ...own,
      ...redactIn(settings, redact),
      ...collectorIn(settings, rules),
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
  config: Claiming,
): { readonly requests: Texts; readonly limits: Texts } => {
  if (auditVolume(settings, config) === undefined) return { requests: {}, limits: {} }
  const bytes = settings['audit-size']
  return {
    requests: { [STORAGE]: text(bytes) },
    limits: hasStorageLimit(pod) ? { [STORAGE]: text(bytes + LOG_BYTES) } : {},
  }
}

/** Records that have nowhere to go, and those whom the volume is none of the business of. */
export const auditViolations = (
  pod: JsonObject,
  { settings, placed }: Resolution,
  config: Rules,
): readonly Violation[] => {
  const { audit, traces } = config
  const { where = CLUSTER } = placed.get('audit-sink') ?? {}
  const hasNowhere =
    settings['audit-sink'] === 'otlp' && recordsEndpoint(audit, traces) === undefined
  const message = `${where}: ${PREFIX}audit-sink: \`otlp\`: ${NO_COLLECTOR}; use \`stdout\` or \`file\`, or ask the platform team`
  return [
    ...(hasNowhere ? [violation('incomplete', message, 'audit-sink')] : []),
    ...claimViolations(pod, audit?.claim),
  ]
}

/** Whoever mounts the volume of the records could write them anew. */
const claimViolations = (pod: JsonObject, claim: string | undefined): readonly Violation[] =>
  claim === undefined
    ? []
    : objectsAt(pod, 'spec', 'volumes')
        .filter((volume) => nameOf(volume) !== AUDIT_VOLUME)
        .filter((volume) => stringAt(volume, 'persistentVolumeClaim', 'claimName') === claim)
        .map((volume) =>
          violation(
            'reserved-name',
            `pod: volume ${nameOf(volume)}: the claim ${claim} holds audit records (audit.claim of the cluster configuration), and the sidecar alone mounts it; use another`,
          ),
        )

/** Whom the volume lets write, Kubernetes leaves to its kind, where the pod does not say. */
const claimWarnings = (pod: JsonObject, settings: Settings, config: Claiming): readonly string[] =>
  auditClaim(settings, config) === undefined ||
  at(pod, 'spec', 'securityContext', 'fsGroup') !== undefined
    ? []
    : [
        `pod: the claim ${String(config.audit?.claim)} for audit records has to let the sidecar write: where it does not, the sidecar does not start; set spec.securityContext.fsGroup`,
      ]

const NEEDS_SINK = [
  'audit-attempts',
  'audit-on-failure',
  'audit-redact',
  'audit-size',
] as const satisfies readonly Key[]

/** What is said in vain, and what may be missing. */
export const auditWarnings = (
  pod: JsonObject,
  { settings, placed }: Resolution,
  config: Claiming,
): readonly string[] => {
  const sink = settings['audit-sink']
  const inVain = NEEDS_SINK.filter(
    (key) => sink === undefined || (key === 'audit-size' && sink !== 'file'),
  )
  const unheard = inVain.flatMap((key) => {
    const { where, isDefault = true } = placed.get(key) ?? {}
    const lack = sink === undefined ? `without ${PREFIX}audit-sink` : `with audit-sink: ${sink}`
    return isDefault || where === CLUSTER
      ? []
      : [`${where}: ${PREFIX}${key}: nothing acts on it ${lack}`]
  })
  return [...unheard, ...claimWarnings(pod, settings, config)]
}
