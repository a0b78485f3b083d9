// The workloads among objects, what stands behind their pods, and what they go by. Pure.

import { arrayAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { controllerOf, isOver } from '../../webhook/inject/pod.ts'
import type { Named } from '../../webhook/inject/overdue.ts'
import { templatesIn, type Template } from '../manifest/templates.ts'
import { namespaceIn, ownersAmong, type Owners } from './owners.ts'

export interface Placed {
  readonly namespace: string
  readonly template: Template
  readonly object: JsonObject
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

/** As a command names it. */
export const namedBy = ({ namespace, template: { kind, name } }: Placed): Named => ({
  namespace,
  kind,
  name,
})

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
