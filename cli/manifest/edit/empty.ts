// What counts as nothing in Kubernetes: null, and a map or a list without members.

import { isList, isObject, isSame, type Json } from '../../../shared/json.ts'

export const isEmpty = (value: Json): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0)

/** A value without members that are null; and without those that are empty, if that is asked for. */
const bare = (value: Json, isLoose: boolean): Json => {
  if (isList(value)) return value.map((item) => bare(item, isLoose))
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([name, item]) => [name, bare(item, isLoose)] as const)
  return Object.fromEntries(
    members.filter(([, item]) => item !== null && !(isLoose && isEmpty(item))),
  )
}

/** Whether two values are the same but for null. */
export const isSameButNull = (a: Json, b: Json): boolean =>
  isSame(a, b) || isSame(bare(a, false), bare(b, false))

/** Whether two values are the same but for members that are empty. */
export const isSameButEmpty = (a: Json, b: Json): boolean =>
  isSame(a, b) || isSame(bare(a, true), bare(b, true))

/** Whether nothing is left of a value without members that are empty. */
export const isHollow = (value: Json): boolean => isEmpty(bare(value, true))
