// What stands behind an object among those that were read: a Deployment behind the pods of its ReplicaSets. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { controllerOf } from '../../webhook/inject/pod.ts'

export const namespaceIn = (object: JsonObject, otherwise: string): string =>
  stringAt(object, 'metadata', 'namespace') ?? otherwise

/** A Job of a CronJob has two behind its pods; more are somebody's circle. */
const MAX_STEPS = 8

export interface Owners {
  /** Whether what controls it was read, too. */
  readonly isOwned: (object: JsonObject) => boolean
  /** The pods that it stands behind, itself if it is one. */
  readonly podsOf: (object: JsonObject) => readonly JsonObject[]
}

const groupOf = (apiVersion: string): string => apiVersion.replace(/\/?[^/]*$/, '')

export const ownersAmong = (objects: readonly JsonObject[], namespace: string): Owners => {
  const keyOf = (object: JsonObject, name: string, place: string): string =>
    [groupOf(stringAt(object, 'apiVersion') ?? ''), stringAt(object, 'kind'), name, place].join(' ')
  const byKey = new Map(
    objects.map((object) => [
      keyOf(object, stringAt(object, 'metadata', 'name') ?? '', namespaceIn(object, namespace)),
      object,
    ]),
  )
  const ownerOf = (object: JsonObject): JsonObject | undefined => {
    const controller = controllerOf(object)
    return (
      controller &&
      byKey.get(
        keyOf(controller, stringAt(controller, 'name') ?? '', namespaceIn(object, namespace)),
      )
    )
  }
  const topOf = (object: JsonObject): JsonObject => {
    let top = object
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const owner = ownerOf(top)
      if (!owner) break
      top = owner
    }
    return top
  }
  const pods = Map.groupBy(
    objects.filter((object) => stringAt(object, 'kind') === 'Pod'),
    topOf,
  )
  return {
    isOwned: (object) => ownerOf(object) !== undefined,
    podsOf: (object) => pods.get(object) ?? [],
  }
}
