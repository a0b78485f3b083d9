// Istio's proxy runs its own program, where the floor exempts it: its agent reads which one from the pod's
// annotations, by a volume that shows them. They can change while the pod runs, and are read again at a restart. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { isExempt } from '../inject/exempt.ts'
import { bendsProxy } from '../inject/mesh-config.ts'
import { members, nameOf } from '../inject/pod.ts'
import type { Finding } from './finding.ts'
import type { Check } from './judged.ts'

const ANNOTATION = 'proxy.istio.io/config'
const VOLUME = 'istio-podinfo'

/** All labels, or all annotations: a single one could be a file of annotations itself. */
const WHOLE: ReadonlySet<string | undefined> = new Set(['metadata.labels', 'metadata.annotations'])

const showsWhole = (volume: JsonObject): boolean =>
  at(volume, 'downwardAPI') !== undefined &&
  objectsAt(volume, 'downwardAPI', 'items')
    .filter((item) => at(item, 'fieldRef') !== undefined)
    .every((item) => WHOLE.has(stringAt(item, 'fieldRef', 'fieldPath')))

const PROXY = 'istio-proxy'

export const proxyProgram: Check = ({ pod, floor }): readonly Finding[] => {
  const proxies = members(pod).filter(({ name }) => name === PROXY)
  if (!proxies.some(({ container }) => isExempt(container, floor))) return []
  const text = stringAt(pod, 'metadata', 'annotations', ANNOTATION)
  const volumes = objectsAt(pod, 'spec', 'volumes').filter((volume) => nameOf(volume) === VOLUME)
  return [
    ...(text !== undefined && bendsProxy(text)
      ? [{ where: 'pod', found: `annotation ${ANNOTATION} names a binaryPath, or may hide one` }]
      : []),
    ...(volumes.every(showsWhole)
      ? []
      : [{ where: 'pod', found: `volume ${VOLUME} is not all of its labels and annotations` }]),
  ]
}
