// Somebody else's NetworkPolicy beside ours: a pod that both select has what either opens, so that theirs may undo what ours
// closes. What cannot be told, or is more than is compared, is taken to open. Pure.

import { covers, rangeOf, type Range } from '../../shared/address.ts'
import {
  isObject,
  isSame,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  stringsAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { stringsOf } from '../cluster/namespace.ts'
import { inNamespace } from './peers.ts'

export type Labels = Readonly<Record<string, string>>

/** So much is compared for one workload, of all policies of others together, and as much for whom they select: whoever writes them decides how much they say. */
const MAX_STEPS = 20_000

/** What is left of that. */
export class Steps {
  private left: number

  constructor(most = MAX_STEPS) {
    this.left = most
  }

  /** Whether there were so many left. */
  take(count: number): boolean {
    this.left -= count
    return this.left >= 0
  }

  get isSpent(): boolean {
    return this.left < 0
  }
}

/** By what a pod has of a key, and whether that is among the expression's values. */
const OPERATORS = new Map<string, (is: string | undefined, isAmong: boolean) => boolean>([
  ['In', (_is, isAmong) => isAmong],
  ['NotIn', (_is, isAmong) => !isAmong],
  ['Exists', (is) => is !== undefined],
  ['DoesNotExist', (is) => is === undefined],
])

const isMet = (expression: JsonObject, labels: Labels): boolean => {
  const key = stringAt(expression, 'key') ?? ''
  const is = Object.hasOwn(labels, key) ? labels[key] : undefined
  const isAmong = is !== undefined && (stringsAt(expression, 'values') ?? []).includes(is)
  const holds = OPERATORS.get(stringAt(expression, 'operator') ?? '')
  return holds ? holds(is, isAmong) : true
}

/** Whether a label selector selects a pod with these labels; one without a word selects every pod. */
export const selects = (selector: JsonObject, labels: Labels): boolean =>
  Object.entries(stringsOf(selector['matchLabels'])).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  ) && objectsAt(selector, 'matchExpressions').every((one) => isMet(one, labels))

const listed = (object: JsonObject, member: string): number =>
  stringsAt(object, member)?.length ?? 0

/** How many words of a selector may be looked at. */
const wordsOf = (selector: JsonObject): number =>
  objectsAt(selector, 'matchExpressions').reduce(
    (sum, one) => sum + 1 + listed(one, 'values'),
    1 + Object.keys(objectAt(selector, 'matchLabels')).length,
  )

/** Whether whatever another selector selects is selected by this one: all that it asks for is asked for there, too. */
const isWider = (ours: JsonObject, theirs: JsonObject): boolean => {
  const said = stringsOf(theirs['matchLabels'])
  const expressions = objectsAt(theirs, 'matchExpressions')
  return (
    Object.entries(stringsOf(ours['matchLabels'])).every(
      ([name, value]) => Object.hasOwn(said, name) && said[name] === value,
    ) &&
    objectsAt(ours, 'matchExpressions').every((one) =>
      expressions.some((other) => isSame(one, other)),
    )
  )
}

const rangesIn = (texts: readonly string[]): readonly Range[] =>
  texts.flatMap((text) => rangeOf(text) ?? [])

/** Whether one range of addresses is in another, but for what each leaves out. */
const isBlockIn = (theirs: JsonObject, ours: JsonObject): boolean => {
  const [inner, outer] = [theirs, ours].map((block) => rangeOf(stringAt(block, 'cidr') ?? ''))
  if (!inner || !outer || !covers(outer, inner)) return false
  const left = rangesIn(stringsAt(theirs, 'except') ?? [])
  return rangesIn(stringsAt(ours, 'except') ?? []).every(
    (one) =>
      left.some((other) => covers(other, one)) || !(covers(inner, one) || covers(one, inner)),
  )
}

const isPeerIn = (theirs: JsonObject, ours: JsonObject, namespace: string): boolean => {
  const [theirBlock, ourBlock] = [theirs['ipBlock'], ours['ipBlock']]
  if (isObject(theirBlock) || isObject(ourBlock))
    return isObject(theirBlock) && isObject(ourBlock) && isBlockIn(theirBlock, ourBlock)
  const [inner, outer] = [theirs, ours].map((peer) => inNamespace(peer, namespace))
  return ['namespaceSelector', 'podSelector'].every((which) =>
    isWider(objectAt(outer, which), objectAt(inner, which)),
  )
}

/** Numbers from one to another; undefined: a name, or every port. */
const portsIn = (port: JsonObject): readonly [number, number] | undefined => {
  const first = numberAt(port, 'port')
  return first === undefined ? undefined : [first, numberAt(port, 'endPort') ?? first]
}

const isPortIn = (theirs: JsonObject, ours: JsonObject): boolean => {
  const [protocol, other] = [theirs, ours].map((port) => stringAt(port, 'protocol') ?? 'TCP')
  if (protocol !== other) return false
  if (ours['port'] === undefined) return true
  const [inner, outer] = [portsIn(theirs), portsIn(ours)]
  if (inner && outer) return outer[0] <= inner[0] && inner[1] <= outer[1]
  return theirs['port'] === ours['port']
}

/** Of one rule; undefined: everybody, every port. */
interface Rule {
  readonly peers: readonly JsonObject[] | undefined
  readonly ports: readonly JsonObject[] | undefined
}

const listIn = (rule: JsonObject, member: string): readonly JsonObject[] | undefined => {
  const list = objectsAt(rule, member)
  return list.length === 0 ? undefined : list
}

const SIDES = [
  ['ingress', 'from'],
  ['egress', 'to'],
] as const
type Side = (typeof SIDES)[number]
export type OpenSide = Side[0]
export const OPEN_SIDES: readonly OpenSide[] = SIDES.map(([side]) => side)

const rulesIn = (spec: JsonObject, [side, peers]: Side): readonly Rule[] =>
  objectsAt(spec, side).map((rule) => ({
    peers: listIn(rule, peers),
    ports: listIn(rule, 'ports'),
  }))

/** So many pairs of a peer and a port of theirs are compared. */
const MAX_PAIRS = 200

interface Against {
  readonly rules: readonly Rule[]
  readonly namespace: string
  readonly steps: Steps
}

const exceptIn = (peer: JsonObject): number => listed(objectAt(peer, 'ipBlock'), 'except')

const expressionsIn = (peer: JsonObject): number =>
  ['namespaceSelector', 'podSelector'].reduce(
    (sum, which) => sum + objectsAt(peer, which, 'matchExpressions').length,
    0,
  )

const isPeerAmong = (
  peer: JsonObject | undefined,
  peers: readonly JsonObject[],
  { namespace, steps }: Against,
): boolean => {
  if (!peer) return false
  const words =
    wordsOf(objectAt(peer, 'namespaceSelector')) + wordsOf(objectAt(peer, 'podSelector'))
  const except = 1 + exceptIn(peer)
  return peers.some(
    (one) =>
      steps.take(words * (1 + expressionsIn(one)) + except * (1 + exceptIn(one))) &&
      isPeerIn(peer, one, namespace),
  )
}

const isPortAmong = (
  port: JsonObject | undefined,
  ports: readonly JsonObject[],
  { steps }: Against,
): boolean => port !== undefined && ports.some((one) => steps.take(1) && isPortIn(port, one))

/** What there are no steps left for is taken to be opened by nobody but them. */
const isOpenedBy = (
  peer: JsonObject | undefined,
  port: JsonObject | undefined,
  against: Against,
): boolean =>
  !against.steps.isSpent &&
  against.rules.some(
    ({ peers, ports }) =>
      against.steps.take(1) &&
      (!ports || isPortAmong(port, ports, against)) &&
      (!peers || isPeerAmong(peer, peers, against)),
  )

const opensSide = (theirs: JsonObject, side: Side, against: Against): boolean => {
  const rules = rulesIn(theirs, side)
  const pairs = rules.reduce(
    (sum, { peers, ports }) => sum + (peers?.length ?? 1) * (ports?.length ?? 1),
    0,
  )
  if (pairs > MAX_PAIRS) return true
  return rules.some(({ peers = [undefined], ports = [undefined] }) =>
    peers.some((peer) => ports.some((port) => !isOpenedBy(peer, port, against))),
  )
}

/** A policy says nothing of a side that is not among its types. */
export const saysSide = (spec: JsonObject, side: string): boolean => {
  const types: Json | undefined = spec['policyTypes']
  return (
    types === undefined ||
    (stringsAt(spec, 'policyTypes') ?? []).some((one) => one.toLowerCase() === side)
  )
}

/** What a policy opens that ours does not: `ingress`, `egress`, both or nothing. Ours is read once, for many of theirs. */
export const openings = (
  ours: JsonObject,
  namespace: string,
  steps = new Steps(),
): ((theirs: JsonObject) => readonly OpenSide[]) => {
  const sides = SIDES.map(
    (side) => [side, { rules: rulesIn(ours, side), namespace, steps }] as const,
  )
  return (theirs) =>
    sides
      .filter(([side, against]) => saysSide(theirs, side[0]) && opensSide(theirs, side, against))
      .map(([[side]]) => side)
}

export interface OtherPolicy {
  readonly name: string
  readonly selector: JsonObject
  /** Undefined: it says more than is compared. */
  readonly spec: JsonObject | undefined
}

export interface Opened {
  readonly name: string
  readonly sides: readonly OpenSide[]
}

/** Of a workload so many pods that differ in their labels are looked at; those of a template are alike, but for a number. */
const MAX_LABEL_SETS = 500

/** Those that differ. */
export const labelSetsOf = (pods: readonly Labels[]): readonly Labels[] => [
  ...new Map(pods.map((labels) => [JSON.stringify(labels), labels])).values(),
]

/** Which of so many pods a selector selects; where there are no steps left, each. */
export const selectedBy = (
  selector: JsonObject,
  pods: readonly Labels[],
  steps: Steps,
): readonly Labels[] => {
  const words = wordsOf(selector)
  return pods.filter((labels) => !steps.take(words) || selects(selector, labels))
}

/** Which policies of others select pods of a workload, and open what its own does not. */
export const openedFor = (
  pods: readonly Labels[],
  policies: readonly OtherPolicy[],
  { ours, namespace }: { readonly ours: JsonObject; readonly namespace: string },
): readonly Opened[] => {
  const told = labelSetsOf(pods).slice(0, MAX_LABEL_SETS)
  const steps = new Steps()
  const openedBy = openings(ours, namespace)
  return policies.flatMap(({ name, selector, spec }) => {
    const words = wordsOf(selector)
    if (!told.some((labels) => !steps.take(words) || selects(selector, labels))) return []
    const sides = spec ? openedBy(spec) : (['ingress', 'egress'] as const)
    return sides.length === 0 ? [] : [{ name, sides }]
  })
}
