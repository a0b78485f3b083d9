// What a pod may share with its node, and its containers among each other. Pure.

import { at, numberAt, objectsAt } from '../../shared/json.ts'
import { members } from '../inject/pod.ts'
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

/** Of every container: no exempt one needs any. */
export const hostPorts: Check = ({ pod }) =>
  members(pod).flatMap(({ name, container }) =>
    objectsAt(container, 'ports')
      .map((port) => numberAt(port, 'hostPort') ?? 0)
      .filter((port) => port !== 0)
      .map((port) => ({ where: `container ${name}`, found: `hostPort: ${port}` })),
  )
