// Where a node stands, and what can be done with it there.

import type { Json, JsonObject } from '../../../shared/json.ts'
import { membersOf } from '../read/tree.ts'
import type { Collection, Member, Tree } from '../read/tree.ts'
import { replaceMember } from './block-edit.ts'
import { replaceFlow } from './flow-edit.ts'
import type { Work } from './work.ts'
import { isExact } from './write.ts'

/** Where a node stands. */
export interface Place {
  /** What leads it: a colon, a dash. */
  readonly head: number
  /** Where what follows it begins. */
  readonly limit: number
  readonly isFlow: boolean
  readonly replace: (value: Json) => void
}

export interface Site<T extends Tree> {
  readonly tree: T
  readonly place: Place
  readonly work: Work
}

export const valueOf = (tree: Tree, { values }: Work): Json => values.get(tree) ?? null

export const memberOf = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

/** What has to be written must not be another number's rounding. */
export const mustWrite = (value: Json, { start }: Tree, work: Work): void => {
  if (!isExact(value)) work.inexact ??= start
}

export const stick = (work: Work, { start }: Tree): void => {
  work.stuck ??= start
}

const headOf = (member: Member): number =>
  'key' in member ? (member.colonEnd ?? member.key.end) : member.start

export const placeOf = ({ tree, place, work }: Site<Collection>, index: number): Place => {
  const members = membersOf(tree)
  const member = members[index]
  const isFlow = tree.style !== 'block'
  return {
    head: member === undefined ? tree.inner : headOf(member),
    limit: members[index + 1]?.start ?? place.limit,
    isFlow,
    replace: (value) => {
      if (!member) return
      mustWrite(value, member.value, work)
      if (isFlow) {
        if (work.mode === 'keep') work.lost.push(member.start)
        replaceFlow(member, member.value, value, work)
      } else replaceMember(tree, member, value, work)
    },
  }
}
