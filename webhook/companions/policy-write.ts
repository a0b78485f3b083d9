// What somebody's NetworkPolicy would open to injected pods by being written: beyond what the policy of their workload opens, and
// beyond what it opened itself before. What cannot be told in so many steps is taken to open. Pure.

import {
  isSame,
  objectAt,
  objectsAt,
  stringAt,
  stringsAt,
  type JsonObject,
} from '../../shared/json.ts'
import { SERVER_LABEL } from '../../shared/names.ts'
import {
  labelSetsOf,
  OPEN_SIDES,
  openings,
  saysSide,
  selectedBy,
  Steps,
  type Labels,
  type OpenSide,
} from './other-policy.ts'
import { ownLabels } from './policy.ts'

export interface PolicyWrite {
  readonly name: string
  /** Its `spec` until now; undefined: it is created. */
  readonly before: JsonObject | undefined
  readonly after: JsonObject
}

/** A workload with injected pods, or with a policy of its own that waits for them. */
export interface GuardedWorkload {
  readonly server: string
  readonly pods: readonly Labels[]
  /** What its own policy says; undefined: it has none yet. */
  readonly spec: JsonObject | undefined
}

/** Of all workloads of a namespace together; the API server waits. */
const MAX_STEPS = 200_000

const rulesOf = (spec: JsonObject, side: OpenSide): readonly JsonObject[] =>
  saysSide(spec, side) ? objectsAt(spec, side) : []

/** Its rules but for those that it had already, word for word. */
const newRulesIn = ({ before, after }: PolicyWrite): JsonObject => {
  if (!before) return after
  const rules = OPEN_SIDES.map((side) => {
    const had = new Set(rulesOf(before, side).map((rule) => JSON.stringify(rule)))
    return [side, rulesOf(after, side).filter((rule) => !had.has(JSON.stringify(rule)))] as const
  })
  return { ...after, ...Object.fromEntries(rules) }
}

/** What both open. */
const together = (one: JsonObject, other: JsonObject): JsonObject =>
  Object.fromEntries(
    OPEN_SIDES.map((side) => [side, [...rulesOf(one, side), ...rulesOf(other, side)]]),
  )

/** Its pods, and one that bears our labels alone: the next may. */
const labelsOf = ({ server, pods }: GuardedWorkload): readonly Labels[] =>
  labelSetsOf([...pods, ownLabels(server)])

/** So many of those that it names are thought of; where it names more, it selects others that nobody thinks of. */
const MAX_NAMED = 100

/** The workloads that a selector names by our label; whom an expression leaves out it does not select. */
const namesIn = (selector: JsonObject): readonly string[] => {
  const label = stringAt(selector, 'matchLabels', SERVER_LABEL)
  const listed = objectsAt(selector, 'matchExpressions').flatMap((one) =>
    stringAt(one, 'key') === SERVER_LABEL && stringAt(one, 'operator') !== 'NotIn'
      ? (stringsAt(one, 'values') ?? [])
      : [],
  )
  return [...(label === undefined ? [] : [label]), ...listed]
}

/** Those of them of which there may be no pod yet; one that names none is about one of any name. */
const namedBy = (
  names: readonly string[],
  known: readonly GuardedWorkload[],
): readonly GuardedWorkload[] => {
  const servers = new Set(known.map(({ server }) => server))
  return ['', ...names.slice(0, MAX_NAMED)]
    .filter((server) => !servers.has(server))
    .map((server) => ({ server, pods: [], spec: undefined }))
}

export interface Around {
  readonly namespace: string
  /** What is open to a pod whose workload has no policy yet. */
  readonly least: JsonObject
}

/** Whether anything of it could open anything, whomever it selects. */
export const mayOpen = (write: PolicyWrite, { namespace, least }: Around): boolean => {
  const { before, after } = write
  const selectsOthers =
    before !== undefined &&
    JSON.stringify(before['podSelector']) !== JSON.stringify(after['podSelector'])
  const said = selectsOthers ? after : newRulesIn(write)
  return openings(least, namespace, new Steps(MAX_STEPS))(said).length > 0
}

/** The sides that it opens to pods of any of these workloads. */
export const openedByWrite = (
  write: PolicyWrite,
  workloads: readonly GuardedWorkload[],
  { namespace, least }: Around,
): readonly OpenSide[] => {
  const { before, after } = write
  const steps = new Steps(MAX_STEPS)
  const onlyNew = newRulesIn(write)
  const opened = new Set<OpenSide>()
  const open = (ours: JsonObject, isNew: boolean): void => {
    const [said, base] = isNew || !before ? [after, ours] : [onlyNew, together(ours, before)]
    for (const side of openings(base, namespace, steps)(said)) opened.add(side)
  }
  const selector = objectAt(after, 'podSelector')
  const earlier = objectAt(before, 'podSelector')
  const names = namesIn(selector)
  if (names.length > MAX_NAMED) open(least, !before || !isSame(selector, earlier))
  for (const workload of [...workloads, ...namedBy(names, workloads)]) {
    if (opened.size === OPEN_SIDES.length) break
    const selected = selectedBy(selector, labelsOf(workload), steps)
    if (selected.length === 0) continue
    const known = before ? selectedBy(earlier, selected, steps) : []
    open(workload.spec ?? least, known.length < selected.length || steps.isSpent)
  }
  return OPEN_SIDES.filter((side) => opened.has(side))
}
