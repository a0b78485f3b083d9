// Istio's proxy runs its own program by its own control plane's word, where the floor exempts it: its agent reads both
// from the pod's annotations, by a volume that shows them, and they can change while the pod runs. Of every exempt
// container: what it mounts as tokens are tokens. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { readPlaced } from '../../shared/yaml-places.ts'
import { isExempt } from '../inject/exempt.ts'
import { holdsTokens, isTokenMount } from '../inject/guest.ts'
import { whyBends } from '../inject/mesh-config.ts'
import { writtenBy } from '../inject/own-environment.ts'
import { members, nameOf } from '../inject/pod.ts'
import type { Floor } from '../settings/floor.ts'
import { quoted, type Finding } from './finding.ts'
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

const read = (text: string): unknown => {
  const document = readPlaced(text)
  return document.ok ? document.value.value : undefined
}

const inAnnotation = (pod: JsonObject, floor: Floor): readonly Finding[] => {
  const text = stringAt(pod, 'metadata', 'annotations', ANNOTATION)
  const entries = floor.exemptContainers.filter(({ name }) => name === PROXY).map(writtenBy)
  const isWritten = (name: string, value: string | undefined): boolean =>
    entries.some((isWrittenBy) => isWrittenBy(name, value))
  const why = text === undefined ? undefined : whyBends(text, { read, isWritten })
  return why === undefined ? [] : [{ where: 'pod', found: `annotation ${ANNOTATION} ${why}` }]
}

const inPodInfo = (pod: JsonObject): readonly Finding[] =>
  objectsAt(pod, 'spec', 'volumes')
    .filter((volume) => nameOf(volume) === VOLUME)
    .every(showsWhole)
    ? []
    : [{ where: 'pod', found: `volume ${VOLUME} is not all of its labels and annotations` }]

/** A file of an author's own, by the name of a token's volume. */
const inTokens = (pod: JsonObject, exempt: readonly JsonObject[]): readonly Finding[] => {
  const others = new Set(
    objectsAt(pod, 'spec', 'volumes')
      .filter((volume) => !holdsTokens(volume))
      .map(nameOf),
  )
  return exempt.flatMap((container) =>
    objectsAt(container, 'volumeMounts')
      .filter((mount) => isTokenMount(mount) && others.has(nameOf(mount)))
      .map((mount) => ({
        where: `container ${nameOf(container)}`,
        found: `mounts ${quoted(nameOf(mount))}, which holds more than a token`,
      })),
  )
}

export const proxyProgram: Check = ({ pod, floor }): readonly Finding[] => {
  const exempt = [
    ...members(pod).map(({ container }) => container),
    ...objectsAt(pod, 'spec', 'ephemeralContainers'),
  ].filter((container) => isExempt(container, floor))
  if (exempt.length === 0) return []
  const isProxy = exempt.some((container) => nameOf(container) === PROXY)
  return [
    ...(isProxy ? [...inAnnotation(pod, floor), ...inPodInfo(pod)] : []),
    ...inTokens(pod, exempt),
  ]
}
