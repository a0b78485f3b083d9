// What looks like an MCP server among the objects of a cluster or of manifests, whether it is under Outrigger, who reaches it,
// and what puts it there. Pure.

import { at, stringAt, type JsonObject } from '../../shared/json.ts'
import { stringsOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { controllerOf, ownSidecar } from '../../webhook/inject/pod.ts'
import {
  INJECT,
  isAsked,
  isBare,
  isForShell,
  renewal,
  ROLLS,
} from '../../webhook/inject/overdue.ts'
import { lend } from '../manifest/workload.ts'
import { once } from '../survey/once.ts'
import { namespaceIn, type Owners } from '../survey/owners.ts'
import {
  calledBy,
  flat,
  livePods,
  namedBy,
  namesOf,
  namespacesAmong,
  workloadsAmong,
  type Placed,
} from '../survey/workloads.ts'
import { signsOf } from './signs.ts'
import { REACHES, waysAmong, type Way, type Ways } from './ways.ts'

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

/** Whoever asks for the sidecar says what it is, whatever it is called. */
const ASKED = `annotation ${INJECT}: "true"`

const ROUTES: ReadonlySet<string> = new Set([
  'Ingress',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'TLSRoute',
  'Route',
])

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

const restart = (placed: Placed): string => renewal('bare', namedBy(placed))

interface Context {
  readonly namespaces: ReadonlyMap<string, Namespace>
  readonly ways: (namespace: string) => Ways
  readonly owners: Owners
}

const stateOf = (placed: Placed, pod: JsonObject, context: Context): State => {
  if (ownSidecar(pod) !== undefined) return 'inside'
  if (!isAsked(pod, context.namespaces.get(placed.namespace))) return 'outside'
  return livePods(placed, context.owners).some(isBare) ? 'stale' : 'inside'
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
  const [kind, name] = calledBy(placed)
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

/** Of those that go by one name the first, in the order in which they come. */
const firstOfEach = (found: readonly Found[]): readonly Found[] => {
  const byName = Map.groupBy(found, ({ namespace, kind, name }) => `${namespace}/${kind}/${name}`)
  return [...byName.values()].flatMap((same) => same.slice(0, 1))
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
  const { placed, owners } = workloadsAmong(all, namespace)
  const context: Context = {
    namespaces: namespacesAmong(all),
    ways: once((name) => waysAmong(services(name), routes(name))),
    owners,
  }
  const found = placed.flatMap((one) => foundOf(one, context))
  // Of a workload's pods the most urgent speaks for all.
  return firstOfEach(found.toSorted(byUrgency))
}
