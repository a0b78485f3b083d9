// What the kubelet does for a container: probes and hooks. Whom they ask, and what they start. Pure.

import { SHIM_PATH } from '../../shared/names.ts'
import { at, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import { quoted } from './finding.ts'
import type { Check } from './judged.ts'

const PLACES = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const
const OVER_NETWORK = ['httpGet', 'tcpSocket'] as const

export const probeHost: Check = ({ containers }) =>
  containers.flatMap(({ where, container }) =>
    PLACES.flatMap((path) =>
      OVER_NETWORK.flatMap((kind) => {
        const host = stringAt(container, ...path, kind, 'host') ?? ''
        const place = [...path, kind].join('.')
        return host === '' ? [] : [{ where, found: `${place}.host: ${quoted(host)}` }]
      }),
    ),
  )

/** Whether something else than a probe of the shim's is started: `shim exec` would run anything. */
const startsOther = (container: JsonObject, path: readonly string[]): boolean => {
  if (at(container, ...path, 'exec') === undefined) return false
  const [program, verb] = stringsAt(container, ...path, 'exec', 'command') ?? []
  return program !== SHIM_PATH || verb !== 'probe'
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
