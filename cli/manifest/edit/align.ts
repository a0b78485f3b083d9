// Which items of a list are which of another: what stays in its place when a list changes. Pure.

import { isObject, isSame, type Json } from '../../../shared/json.ts'

/** An item that stays or is changed, by its index in both; or one that is gone, or new before an index of the old. */
export type Step =
  | { readonly kind: 'both'; readonly from: number; readonly to: number }
  | { readonly kind: 'gone'; readonly from: number }
  | { readonly kind: 'new'; readonly before: number; readonly to: number }

type List = readonly Json[]

/** What tells the items of Kubernetes' lists apart. */
const NAMES = ['name', 'mountPath'] as const

const namesOf = (list: List, member: string): readonly string[] | undefined => {
  const names = list.map((item) => (isObject(item) ? item[member] : undefined))
  const texts = names.filter((name) => typeof name === 'string')
  return new Set(texts).size === list.length ? texts : undefined
}

/** By name, where every item has one of its own and those that stay keep their order. */
const byName = (from: List, to: List, member: string): readonly Step[] | undefined => {
  const [old, now] = [namesOf(from, member), namesOf(to, member)]
  if (!old || !now) return undefined
  const wanted = new Set(now)
  const places = new Map(old.map((name, index) => [name, index]))
  const steps: Step[] = []
  let next = 0
  const skipGone = (): void => {
    for (; next < old.length && !wanted.has(old[next] ?? ''); next += 1) {
      steps.push({ kind: 'gone', from: next })
    }
  }
  skipGone()
  for (const [index, name] of now.entries()) {
    const place = places.get(name)
    if (place !== undefined && place !== next) return undefined
    if (place === undefined) {
      steps.push({ kind: 'new', before: next, to: index })
    } else {
      steps.push({ kind: 'both', from: place, to: index })
      next += 1
      skipGone()
    }
  }
  return steps
}

const range = <T>(length: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length }, (_, index) => make(index))

/** By what is the same at both ends; between them one by one, or all old against all new. */
const byEnds = (from: List, to: List): readonly Step[] => {
  const shorter = Math.min(from.length, to.length)
  let head = 0
  while (head < shorter && isSame(from[head], to[head])) head += 1
  let tail = 0
  while (tail < shorter - head && isSame(from.at(-1 - tail), to.at(-1 - tail))) tail += 1
  if (from.length === to.length) return paired(from.length, 0, 0)
  return [
    ...paired(head, 0, 0),
    ...range(from.length - head - tail, (index) => ({ kind: 'gone', from: head + index }) as const),
    ...range(
      to.length - head - tail,
      (index) => ({ kind: 'new', before: from.length - tail, to: head + index }) as const,
    ),
    ...paired(tail, from.length - tail, to.length - tail),
  ]
}

const paired = (length: number, from: number, to: number): readonly Step[] =>
  range(length, (index) => ({ kind: 'both', from: from + index, to: to + index }) as const)

/** The steps from one list to another, in the order of both. */
export const alignLists = (from: List, to: List): readonly Step[] =>
  byName(from, to, NAMES[0]) ?? byName(from, to, NAMES[1]) ?? byEnds(from, to)
