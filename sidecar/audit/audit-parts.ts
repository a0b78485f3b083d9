// What a sidecar's records are made with, and what they say of where it runs.

import type { EventOf } from '../../shared/audit/record.ts'
import type { Log } from '../../shared/log.ts'
import type { PodFacts } from '../../shared/names.ts'
import type { AuditConfig, SidecarConfig } from '../../shared/sidecar-config.ts'
import type { AtTurnEnd } from '../bytes/turn-end.ts'
import type { OwnWay } from '../identity/own-way.ts'
import type { Attributes } from '../telemetry/trace.ts'

export interface AuditParts {
  readonly config: SidecarConfig
  /** Monotonic milliseconds, and those since 1970. */
  readonly now: () => number
  readonly wallMs: () => number
  readonly log: Log
  /** Calls back when this turn of the event loop ends, before anybody writes to the server. */
  readonly atTurnEnd?: AtTurnEnd | undefined
  /** Absent on a machine that is no pod. */
  readonly pod?: { readonly facts: PodFacts }
  /** The descriptor that checkpoints, and records without a file, go to; absent: 1. */
  readonly stdout?: number
  /** To a collector on the internet; undefined: as the system goes. */
  readonly way?: OwnWay | undefined
}

/** `NAMESPACE/NAME`. */
export const podIn = ({ pod }: AuditParts): string | undefined => {
  const { namespace, name } = pod?.facts ?? {}
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

export const placeIn = (
  { pod }: AuditParts,
  { about }: AuditConfig,
): Pick<EventOf<'begin'>, 'place'> => {
  const place = { ...pod?.facts, ...about }
  return Object.keys(place).length === 0 ? {} : { place }
}

/** The same by OpenTelemetry's names. */
export const resourceOf = ({ config, pod }: AuditParts): Attributes => {
  const { name, namespace, uid, node } = pod?.facts ?? {}
  return {
    'service.name': config.server,
    ...(namespace === undefined ? {} : { 'k8s.namespace.name': namespace }),
    ...(name === undefined ? {} : { 'k8s.pod.name': name }),
    ...(uid === undefined ? {} : { 'k8s.pod.uid': uid }),
    ...(node === undefined ? {} : { 'k8s.node.name': node }),
  }
}
