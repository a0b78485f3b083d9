// What a pod may not share with its node or between its containers once a server is in it. Pure.

import { at, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { members } from './pod.ts'

const SHARED: readonly (readonly [field: string, why: string])[] = [
  ['hostNetwork', "the server would sit in the node's network, out of reach of any policy"],
  ['hostPID', "the server would see the node's processes"],
  ['hostIPC', "the server would share the node's memory segments"],
  ['shareProcessNamespace', "the server could read the sidecar's memory and files"],
]

const isWindows = (pod: JsonObject): boolean =>
  stringAt(pod, 'spec', 'os', 'name') === 'windows' ||
  stringAt(pod, 'spec', 'nodeSelector', 'kubernetes.io/os') === 'windows'

/** Host namespaces, host ports, a shared process namespace, Windows. */
export const hostViolations = (pod: JsonObject): readonly Violation[] => [
  ...SHARED.filter(([field]) => at(pod, 'spec', field) === true).map(([field, why]) =>
    violation('host-access', `pod: ${field}: true; ${why}; leave it out`),
  ),
  ...members(pod).flatMap(({ name, container }) =>
    objectsAt(container, 'ports')
      .map((port) => numberAt(port, 'hostPort') ?? 0)
      .filter((port) => port !== 0)
      .map((port) =>
        violation(
          'host-access',
          `container ${name}: hostPort ${port} goes around the sidecar; use a Service`,
        ),
      ),
  ),
  ...(isWindows(pod)
    ? [
        violation(
          'windows',
          'pod: runs on Windows; Outrigger needs Linux (its shim is a Linux program)',
        ),
      ]
    : []),
]
