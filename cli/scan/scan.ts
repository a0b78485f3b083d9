// What looks like an MCP server among the objects of a cluster or of manifests, whether it is under Outrigger, who reaches it,
// and what puts it there. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { namespaceOf, optsIn, stringsOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import { controllerOf } from '../../webhook/workload/kinds.ts'
import { templatesIn, type Template } from '../manifest/templates.ts'
import { lend } from '../manifest/workload.ts'
import { ownersAmong, type Owners } from './owners.ts'
import { signsOf } from './signs.ts'
import { REACHES, namespaceIn, waysAmong, type Way, type Ways } from './ways.ts'

/** `outside`: not under Outrigger. `stale`: asked for, and a pod of it runs without the sidecar. `inside`: asked for or injected. */
export const STATES = ['outside', 'stale', 'inside'] as const
export type State = (typeof STATES)[number]

export interface Found {
  readonly namespace: string
  readonly kind: string
  readonly name: string
  readonly state: State
  /** Why it looks like one. */
  readonly signs: readonly string[]
  readonly ways: readonly Way[]
  /** What to do about it; undefined of one inside. */
  readonly advice: string | undefined
}

const INJECT = `${PREFIX}inject`
/** Whoever asks for the sidecar says what it is, whatever it is called. */
const ASKED = `annotation ${INJECT}: "true"`

/** What kubectl's annotate can reach: a change of these makes new pods. */
const ROLLS = ['Deployment', 'StatefulSet', 'DaemonSet']

const namesOf = (owner: JsonObject): readonly [kind: string, name: string] => [
  stringAt(owner, 'kind') ?? '',
  stringAt(owner, 'name') ?? '',
]

const ROUTES: ReadonlySet<string> = new Set([
  'Ingress',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'TLSRoute',
  'Route',
])
interface Placed {
  readonly namespace: string
  readonly template: Template
  readonly object: JsonObject
}

const flat = (objects: readonly JsonObject[]): readonly JsonObject[] =>
  objects.flatMap((object) =>
    (stringAt(object, 'kind') ?? '').endsWith('List') ? flat(objectsAt(object, 'items')) : [object],
  )

const isAsked = (pod: JsonObject, namespace: Namespace | undefined): boolean => {
  const own =
    stringsOf(at(pod, 'metadata', 'annotations'))[INJECT] ?? namespace?.annotations[INJECT]
  if (own !== undefined) return own === 'true'
  return namespace !== undefined && optsIn(namespace)
}

const isOver = (pod: JsonObject): boolean =>
  ['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? '')

/** Whether names are what the API server takes: in a manifest may stand what a shell would run. */
const isForShell = (...names: readonly string[]): boolean =>
  names.every((name) => /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name))

const optIn = ({ namespace, template: { kind, name }, object }: Placed): string => {
  const controller = controllerOf(object)
  if (controller) {
    return `${namesOf(controller).join(' ')} writes its pods: give them the annotation ${INJECT}: "true" there, or run the server in a workload of its own`
  }
  if ((ROLLS.includes(kind) || kind === 'CronJob') && isForShell(namespace, name)) {
    return `kubectl annotate -n ${namespace} ${kind.toLowerCase()}/${name} ${INJECT}=true`
  }
  return `put the annotation ${INJECT}: "true" into its manifest and create it anew: a ${kind} that is there does not change`
}

const restart = ({ namespace, template: { kind, name } }: Placed): string =>
  ROLLS.includes(kind) && isForShell(namespace, name)
    ? `kubectl rollout restart -n ${namespace} ${kind.toLowerCase()}/${name}`
    : 'create it anew: its pods were there before it was asked for'

interface Context {
  readonly namespaces: ReadonlyMap<string, Namespace>
  readonly ways: (namespace: string) => Ways
  readonly owners: Owners
}

const stateOf = (placed: Placed, pod: JsonObject, context: Context): State => {
  const { namespace, object, template } = placed
  if (ownSidecar(pod) !== undefined) return 'inside'
  if (!isAsked(pod, context.namespaces.get(namespace))) return 'outside'
  const isRunning = (one: JsonObject): boolean => ownSidecar(one) === undefined && !isOver(one)
  // A pod that runs is what it is; one of a manifest has no status.
  const own = context.owners
    .podsOf(object)
    .filter((one) => template.owner || stringAt(one, 'status', 'phase') !== undefined)
  return own.some(isRunning) ? 'stale' : 'inside'
}

const foundOf = (placed: Placed, context: Context): readonly Found[] => {
  const { namespace, template } = placed
  const { pod } = lend(template)
  const ways = context.ways(namespace)(pod)
  const named = ways.find(({ isMcp }) => isMcp)
  const signs = [
    ...(stringsOf(at(pod, 'metadata', 'annotations'))[INJECT] === 'true' ? [ASKED] : []),
    ...signsOf(template.pod, template.owner?.object),
    ...(named === undefined ? [] : [`${named.by} says that it leads to MCP`]),
  ]
  if (signs.length === 0) return []
  const state = stateOf(placed, pod, context)
  const advice = { outside: optIn, stale: restart, inside: () => undefined }[state](placed)
  // Pods of somebody else's controller go by its name: there may be many.
  const controller = template.owner ? undefined : controllerOf(placed.object)
  const [kind, name] = controller ? namesOf(controller) : [template.kind, template.name]
  return [{ namespace, kind, name, state, signs, ways, advice }]
}

const farthest = ({ ways }: Found): number => {
  const [first] = ways
  return first === undefined ? REACHES.length : REACHES.indexOf(first.from)
}

const byUrgency = (a: Found, b: Found): number =>
  STATES.indexOf(a.state) - STATES.indexOf(b.state) ||
  farthest(a) - farthest(b) ||
  (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1)

const groupedBy = (
  objects: readonly JsonObject[],
  namespace: string,
): ((name: string) => readonly JsonObject[]) => {
  const groups = Map.groupBy(objects, (object) => namespaceIn(object, namespace))
  return (name) => groups.get(name) ?? []
}

/** Works out what is asked for, and not again. */
const once = <T>(work: (name: string) => T): ((name: string) => T) => {
  const known = new Map<string, T>()
  return (name) => {
    const found = known.get(name) ?? work(name)
    known.set(name, found)
    return found
  }
}

/** Those that look like MCP servers, the most urgent first. `namespace`: of objects that name none. */
export const scanObjects = (
  objects: readonly JsonObject[],
  namespace: string,
): readonly Found[] => {
  const all = flat(objects)
  const kindOf = (object: JsonObject): string => stringAt(object, 'kind') ?? ''
  const ofKind = (is: (kind: string) => boolean) =>
    groupedBy(
      all.filter((object) => is(kindOf(object))),
      namespace,
    )
  const services = ofKind((kind) => kind === 'Service')
  const routes = ofKind((kind) => ROUTES.has(kind))
  const owners = ownersAmong(all, namespace)
  const context: Context = {
    namespaces: new Map(
      all
        .filter((object) => kindOf(object) === 'Namespace')
        .map(namespaceOf)
        .map((one) => [one.name, one]),
    ),
    ways: once((name) => waysAmong(services(name), routes(name))),
    owners,
  }
  const found = all
    // Those are counted with what stands behind them.
    .filter((object) => !owners.isOwned(object))
    .flatMap((object) =>
      templatesIn(object).map((template) => ({
        object,
        template,
        namespace: namespaceIn(object, namespace),
      })),
    )
    .flatMap((placed) => foundOf(placed, context))
  // Of a workload's pods the most urgent speaks for all.
  const seen = new Set<string>()
  return found.toSorted(byUrgency).filter((one) => {
    const key = `${one.namespace}/${one.kind}/${one.name}`
    const isFirst = !seen.has(key)
    seen.add(key)
    return isFirst
  })
}
