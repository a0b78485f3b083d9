// The workloads among objects, whether each asks for the sidecar, and what makes its pods anew. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { arrayAt, at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { namespaceOf, optsIn, stringsOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { controllerOf, isOver, ownSidecar } from '../../webhook/inject/pod.ts'
import { templatesIn, type Template } from '../manifest/templates.ts'
import { namespaceIn, ownersAmong, type Owners } from './owners.ts'

export const INJECT = `${PREFIX}inject`

/** What kubectl's annotate can reach: a change of these makes new pods. */
export const ROLLS = ['Deployment', 'StatefulSet', 'DaemonSet']

export interface Placed {
  readonly namespace: string
  readonly template: Template
  readonly object: JsonObject
}

export const isAsked = (pod: JsonObject, namespace: Namespace | undefined): boolean => {
  const own =
    stringsOf(at(pod, 'metadata', 'annotations'))[INJECT] ?? namespace?.annotations[INJECT]
  if (own !== undefined) return own === 'true'
  return namespace !== undefined && optsIn(namespace)
}

/** Its pods that run, or are about to. A pod that runs is what it is; one of a manifest has no status. */
export const livePods = ({ object, template }: Placed, owners: Owners): readonly JsonObject[] =>
  owners
    .podsOf(object)
    .filter((one) => template.owner || stringAt(one, 'status', 'phase') !== undefined)
    .filter((one) => !isOver(one))

/** The words that its author starts a container by, as far as they are words. */
export const startWords = (container: JsonObject): readonly string[] =>
  ['command', 'args']
    .flatMap((field) => arrayAt(container, field) ?? [])
    .filter((word) => typeof word === 'string')

export const isBare = (pod: JsonObject): boolean => ownSidecar(pod) === undefined

/** Whether names are what the API server takes: in a manifest may stand what a shell would run. */
export const isForShell = (...names: readonly string[]): boolean =>
  names.every((name) => /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name))

/** What makes its pods anew; undefined where nothing does but whoever has made it. */
export const restartLine = ({ namespace, template: { kind, name } }: Placed): string | undefined =>
  ROLLS.includes(kind) && isForShell(namespace, name)
    ? `kubectl rollout restart -n ${namespace} ${kind.toLowerCase()}/${name}`
    : undefined

/** Kind and name of an owner reference. */
export const namesOf = (owner: JsonObject): readonly [kind: string, name: string] => [
  stringAt(owner, 'kind') ?? '',
  stringAt(owner, 'name') ?? '',
]

/** What it goes by: pods of somebody else's controller by its name, since there may be many. */
export const calledBy = ({ template, object }: Placed): readonly [kind: string, name: string] => {
  const controller = template.owner ? undefined : controllerOf(object)
  return controller ? namesOf(controller) : [template.kind, template.name]
}

/** Objects with those of Lists in their place. */
export const flat = (objects: readonly JsonObject[]): readonly JsonObject[] =>
  objects.flatMap((object) =>
    (stringAt(object, 'kind') ?? '').endsWith('List') ? flat(objectsAt(object, 'items')) : [object],
  )

export const namespacesAmong = (objects: readonly JsonObject[]): ReadonlyMap<string, Namespace> =>
  new Map(
    objects
      .filter((object) => stringAt(object, 'kind') === 'Namespace')
      .map(namespaceOf)
      .map((one) => [one.name, one]),
  )

export interface Workloads {
  readonly placed: readonly Placed[]
  readonly owners: Owners
}

/** Each that nothing else that was read stands behind: what is owned is counted with its owner. */
export const workloadsAmong = (objects: readonly JsonObject[], namespace: string): Workloads => {
  const owners = ownersAmong(objects, namespace)
  const placed = objects
    .filter((object) => !owners.isOwned(object))
    .flatMap((object) =>
      templatesIn(object).map((template) => ({
        object,
        template,
        namespace: namespaceIn(object, namespace),
      })),
    )
  return { placed, owners }
}
