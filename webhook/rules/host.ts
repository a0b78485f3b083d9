// What a pod may share with its node, and its containers among each other. Pure.

import { at, numberAt, objectsAt } from '../../shared/json.ts'
import { nameOf } from '../inject/pod.ts'
import { ALLOWED_VOLUMES, typesOf } from '../inject/volume-types.ts'
import type { Check } from './judged.ts'

const NAMESPACES = ['hostNetwork', 'hostPID', 'hostIPC'] as const

export const hostNamespaces: Check = ({ pod }) =>
  NAMESPACES.filter((field) => at(pod, 'spec', field) === true).map((field) => ({
    where: 'pod',
    found: `${field}: true`,
  }))

export const processNamespace: Check = ({ pod }) =>
  at(pod, 'spec', 'shareProcessNamespace') === true
    ? [{ where: 'pod', found: 'shareProcessNamespace: true' }]
    : []

export const hostPorts: Check = ({ containers }) =>
  containers.flatMap(({ where, container }) =>
    objectsAt(container, 'ports')
      .map((port) => numberAt(port, 'hostPort') ?? 0)
      .filter((port) => port !== 0)
      .map((port) => ({ where, found: `hostPort: ${port}` })),
  )

export const volumeTypes: Check = ({ pod }) =>
  objectsAt(pod, 'spec', 'volumes').flatMap((volume) =>
    typesOf(volume)
      .filter((type) => !ALLOWED_VOLUMES.has(type))
      .map((type) => ({ where: 'pod', found: `volume ${nameOf(volume)}: ${type}` })),
  )
