// What the kubelet does for a container: probes and hooks. Whom they ask, and what they start. Pure.

import { SHIM_PATH } from '../../shared/names.ts'
import { at, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import { isConfined } from '../inject/confined-hooks.ts'
import { HOOKS, nameOf, PROBES } from '../inject/pod.ts'
import { quoted } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

const PLACES = [...PROBES, ...HOOKS]
const OVER_NETWORK = ['httpGet', 'tcpSocket'] as const

/** Of every container: no exempt one asks anybody but itself. */
export const probeHost: Check = ({ pod }) =>
  everyContainer(pod).flatMap((container) =>
    PLACES.flatMap((path) =>
      OVER_NETWORK.flatMap((kind) => {
        const host = stringAt(container, ...path, kind, 'host') ?? ''
        const place = [...path, kind].join('.')
        return host === ''
          ? []
          : [
              {
                where: `container ${nameOf(container)}`,
                found: `${place}.host: ${quoted(host)}`,
              },
            ]
      }),
    ),
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
