// The record in a pod template of what its workload's own metadata says: which annotations were
// copied from there, and which of its words the template's author has overridden. It is information
// that anybody may forge who may write the template: an entry counts only for a key that stands
// there, so that a record can take back a copy and bind the template, and can never add a setting. Pure.

import { z } from 'zod'
import { KEYS, PREFIX, type Key } from '../../shared/annotations.ts'
import { WORKLOAD_ANNOTATION } from '../../shared/names.ts'
import { objectAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'

export type Texts = Readonly<Partial<Record<Key, string>>>

export interface WorkloadRecord {
  /** Texts by key, as they were copied into the template. */
  readonly copied: Texts
  /** The workload's word on keys of which the template has its own, where that may not be looser. */
  readonly overridden: Texts
}

const texts = z.record(z.string(), z.string())
const schema = z.strictObject({
  version: z.literal(1),
  copied: texts,
  overridden: texts.default({}),
})

const EMPTY: WorkloadRecord = { copied: {}, overridden: {} }

/** The texts by key for which a function gives one. */
export const textsBy = (textOf: (key: Key) => string | undefined): Texts =>
  Object.fromEntries(
    KEYS.flatMap((key) => {
      const text = textOf(key)
      return text === undefined ? [] : [[key, text]]
    }),
  )

/** The text of our key among annotations. */
export const textAt = (annotations: JsonObject, key: Key): string | undefined =>
  stringAt(annotations, `${PREFIX}${key}`)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const recordIn = (annotations: JsonObject): WorkloadRecord | undefined => {
  const text = stringAt(annotations, WORKLOAD_ANNOTATION)
  const { data } = schema.safeParse(text === undefined ? undefined : parse(text))
  return (
    data && {
      copied: textsBy((key) => data.copied[key]),
      overridden: textsBy((key) => data.overridden[key]),
    }
  )
}

/** The record among annotations; an empty one where there is none of our form. */
export const readRecord = (annotations: JsonObject): WorkloadRecord =>
  recordIn(annotations) ?? EMPTY

/** The record's text; undefined where there is nothing to record. */
export const recordText = ({ copied, overridden }: WorkloadRecord): string | undefined => {
  const hasOverridden = Object.keys(overridden).length > 0
  if (Object.keys(copied).length === 0 && !hasOverridden) return undefined
  return JSON.stringify({ version: 1, copied, ...(hasOverridden ? { overridden } : {}) })
}

/** Whether what stands in the record's place is one of our form. */
export const hasRecord = (template: JsonObject): boolean =>
  recordIn(objectAt(template, 'metadata', 'annotations')) !== undefined

/** The template without what its record says was copied and still stands there as it was, and without the record. */
export const withoutCopies = (template: JsonObject): JsonObject => {
  const annotations = objectAt(template, 'metadata', 'annotations')
  if (annotations[WORKLOAD_ANNOTATION] === undefined) return template
  const { copied } = readRecord(annotations)
  const gone = KEYS.filter(
    (key) => copied[key] !== undefined && copied[key] === textAt(annotations, key),
  ).map((key) => `${PREFIX}${key}`)
  const names = new Set<string>([WORKLOAD_ANNOTATION, ...gone])
  const left = Object.entries(annotations).filter(([name]) => !names.has(name))
  const kept = left.length > 0 ? Object.fromEntries(left) : undefined
  return withAt(template, ['metadata', 'annotations'], kept)
}

type Annotations = Readonly<Record<string, string>>

/** A pod's annotations by who speaks: its workload, by the record, or the pod's own author. */
export const bySpeaker = (
  annotations: Annotations,
): { workload: Annotations; own: Annotations } => {
  const { copied, overridden } = readRecord(annotations)
  const said = KEYS.flatMap((key) => {
    const text = copied[key] ?? overridden[key]
    const stands = textAt(annotations, key) !== undefined
    return text !== undefined && stands ? [[`${PREFIX}${key}`, text] as const] : []
  })
  const copies = new Set<string>(
    said.filter(([name, text]) => annotations[name] === text).map(([name]) => name),
  )
  const own = Object.entries(annotations).filter(([name]) => !copies.has(name))
  return { workload: Object.fromEntries(said), own: Object.fromEntries(own) }
}
