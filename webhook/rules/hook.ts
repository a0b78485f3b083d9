// What the kubelet does for a container: probes and hooks. Whom they ask, and what they start. Pure.

import { SHIM_PATH } from '../../shared/names.ts'
import { at, atPath, stringsAt, type JsonObject } from '../../shared/json.ts'
import { isConfined } from '../inject/confined-hooks.ts'
import { HOOKS, nameOf, PROBES } from '../inject/pod.ts'
import { quoted } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

const PLACES = [...PROBES, ...HOOKS]
/** Where a host may stand, and what asks it. */
const HOSTS = PLACES.flatMap((path) =>
  ['httpGet', 'tcpSocket'].map((kind) => ({
    path: [...path, kind, 'host'],
    place: [...path, kind].join('.'),
  })),
)

const hostAt = (container: JsonObject, path: readonly string[]): string => {
  const host = atPath(container, path)
  return typeof host === 'string' ? host : ''
}

/** Of every container: no exempt one asks anybody but itself. */
export const probeHost: Check = ({ pod }) =>
  everyContainer(pod).flatMap((container) =>
    HOSTS.filter(({ path }) => hostAt(container, path) !== '').map(({ path, place }) => ({
      where: `container ${nameOf(container)}`,
      found: `${place}.host: ${quoted(hostAt(container, path))}`,
    })),
  )

/** Whether something else than a probe of the shim's is started, under no confinement of its: `shim exec` would run anything. */
const startsOther = (container: JsonObject, path: readonly string[]): boolean => {
  if (at(container, ...path, 'exec') === undefined) return false
  const words = stringsAt(container, ...path, 'exec', 'command') ?? []
  const [program, verb] = words
  return !isConfined(words) && (program !== SHIM_PATH || verb !== 'probe')
}

export const unconfinedHooks: Check = ({ containers, server }) =>
  containers
    .filter(({ list, name }) => list === 'containers' && name === server)
    .flatMap(({ where, container }) =>
      PLACES.filter((path) => startsOther(container, path)).map((path) => ({
        where,
        found: `${path.join('.')}.exec`,
      })),
    )
