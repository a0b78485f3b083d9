// Where the sidecar stands among the init containers: after a mesh's native sidecar if there is
// one, since that carries its traffic, else first, so that it is ready before anything else. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { isExempt } from './exempt.ts'
import { isMeshProxyName } from './mesh.ts'
import { nameOf } from './pod.ts'

const isMeshSidecar = (container: JsonObject, floor: Floor): boolean =>
  stringAt(container, 'restartPolicy') === 'Always' &&
  (isMeshProxyName(nameOf(container)) || isExempt(container, floor))

/** The pod with the sidecar in its place. */
export const placeSidecar = (pod: JsonObject, sidecar: JsonObject, floor: Floor): JsonObject => {
  const others = objectsAt(pod, 'spec', 'initContainers').filter(
    (item) => nameOf(item) !== SIDECAR_CONTAINER,
  )
  const mesh = others.findLastIndex((item) => isMeshSidecar(item, floor))
  return withAt(pod, ['spec', 'initContainers'], others.toSpliced(mesh + 1, 0, sidecar))
}
