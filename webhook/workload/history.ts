// What a write to a workload did to the copies in its template, told where nobody may have meant
// it: `rollout undo` and a replaced object bring a template from another time, while the workload's
// own annotations hold now. Pure.

import { KEYS, PREFIX, type Key } from '../../shared/annotations.ts'
import { objectAt, type JsonObject } from '../../shared/json.ts'
import { templateOf, type WorkloadKind } from './kinds.ts'
import { copiesIn, ownTexts, placeOf, type Propagation } from './propagate.ts'
import { textAt, type Texts } from '../settings/workload-record.ts'

export interface Write {
  readonly kind: WorkloadKind
  readonly object: JsonObject
  /** The object before it; undefined where this write creates it. */
  readonly old: JsonObject | undefined
}

const list = (keys: readonly Key[]): string => keys.map((key) => PREFIX + key).join(', ')

const textsIn = (template: JsonObject, key: Key): string | undefined =>
  textAt(objectAt(template, 'metadata', 'annotations'), key)

interface Before {
  readonly said: Texts
  readonly copies: Texts
  readonly template: JsonObject
}

const stateOf = ({ old, kind }: Write): Before => {
  const template = (old && templateOf(old, kind)) ?? {}
  return { said: old ? ownTexts(old) : {}, copies: copiesIn(template), template }
}

/** Copies that this write took out of the template, or turned back, while the workload says the same as before. */
const putBack = (before: Before, { before: written, after }: Propagation): readonly Key[] => {
  const copies = copiesIn(after)
  return KEYS.filter(
    (key) =>
      copies[key] !== undefined &&
      copies[key] === before.copies[key] &&
      copies[key] !== textsIn(written, key),
  )
}

/** Copies that this write brought into the template, which the workload did not say before and does not say now. */
const takenOut = (before: Before, { before: written, after }: Propagation): readonly Key[] => {
  const copies = copiesIn(written)
  return KEYS.filter(
    (key) =>
      copies[key] !== undefined &&
      textsIn(after, key) === undefined &&
      before.said[key] === undefined,
  )
}

/** Sentences on what the workload's own annotations undid of this write. */
export const undoneWarnings = (write: Write, propagation: Propagation): readonly string[] => {
  const { kind, object } = write
  const where = placeOf(object, kind)
  const before = stateOf(write)
  const [back, out] = [putBack(before, propagation), takenOut(before, propagation)]
  return [
    ...(back.length > 0
      ? [
          `${where}: put back into the template: ${list(back)}; the ${kind.kind} itself says so, which holds: take it off there to be rid of it`,
        ]
      : []),
    ...(out.length > 0
      ? [
          `${where}: taken out of the template: ${list(out)}; copied when the ${kind.kind} itself said so, which it does not now: set it there to have it`,
        ]
      : []),
  ]
}

/** What to say where a Job's own annotations have changed and its template cannot. */
export const tooLateWarnings = ({ kind, object, old }: Write): readonly string[] => {
  const [before, now] = [old ? ownTexts(old) : {}, ownTexts(object)]
  const changed = KEYS.filter((key) => before[key] !== now[key])
  return changed.length === 0
    ? []
    : [
        `${placeOf(object, kind)}: too late for ${list(changed)}: the template of a Job that exists cannot be changed; delete the Job and create it anew`,
      ]
}
