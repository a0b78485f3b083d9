// What will become of a workload's pods, told to whoever writes the workload: warnings about a pod
// reach the controller that makes it and nobody else. Never a denial: the pod itself will be judged. Pure.

import type { ClusterConfig } from '../cluster/config.ts'
import { admit } from '../rules/admit.ts'
import type { Workload } from '../inject/subject.ts'
import { objectAt, type JsonObject } from '../../shared/json.ts'
import type { Namespace } from '../cluster/namespace.ts'

/** The pod as its controller will submit it, but for its name and its owner. */
export const podOf = (
  template: JsonObject,
  workload: Workload,
  namespace: Namespace,
): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...objectAt(template, 'metadata'),
    generateName: `${workload.name}-`,
    namespace: namespace.name,
  },
  spec: objectAt(template, 'spec'),
})

const withoutPod = (message: string): string => message.replace(/^pod: /, '')

/** Why the template's pods will be denied, and what they will be warned about. */
export const previewWarnings = (
  template: JsonObject,
  workload: Workload,
  namespace: Namespace,
  config: ClusterConfig,
): readonly string[] => {
  const pod = podOf(template, workload, namespace)
  const { decided } = admit(pod, namespace, config, workload)
  const pods = `pods of ${workload.kind} ${workload.name}`
  const violations = decided.kind === 'deny' ? decided.violations : []
  return [
    ...violations.map(({ message }) => `${pods} will be denied: ${withoutPod(message)}`),
    ...decided.warnings.map((warning) => `${pods}: ${withoutPod(warning)}`),
  ]
}
