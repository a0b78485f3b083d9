// Our annotations on a workload's own metadata, copied into its pod template, with a record of what
// was copied, so that taking one off the workload takes it off the template. What the template's
// author wrote himself stays and wins. A function of the object as it is, so that any order of
// writes ends in the same template and a second pass changes nothing. Pure.

import { annotation, KEYS, PREFIX, type Key } from '../../shared/annotations.ts'
import { WORKLOAD_ANNOTATION } from '../../shared/names.ts'
import { at, isObject, objectAt, withAt, type JsonObject } from '../../shared/json.ts'
import { noString } from '../inject/field-types.ts'
import { stringsOf } from '../cluster/namespace.ts'
import { parseValue } from '../../shared/settings.ts'
import { isOurs, misplacedLabels, readScope } from '../settings/scopes.ts'
import { isControlled, nameOf, templateOf, type WorkloadKind } from './kinds.ts'
import {
  readRecord,
  recordText,
  textAt,
  textsBy,
  withoutCopies,
  type Texts,
} from '../settings/workload-record.ts'

export interface Propagation {
  /** The template as it came. */
  readonly before: JsonObject
  /** The template as it is to be. */
  readonly after: JsonObject
  readonly warnings: readonly string[]
}

const annotationsOf = (object: JsonObject): JsonObject =>
  objectAt(object, 'metadata', 'annotations')

/** What the workload itself says, by key. */
export const ownTexts = (object: JsonObject): Texts =>
  textsBy((key) => textAt(annotationsOf(object), key))

/** What stands in a template as a copy, by key. */
export const copiesIn = (template: JsonObject): Texts => {
  const { copied } = readRecord(annotationsOf(template))
  return textsBy((key) =>
    textAt(annotationsOf(template), key) === copied[key] ? copied[key] : undefined,
  )
}

const copy = (template: JsonObject, said: Texts): JsonObject => {
  const bare = withoutCopies(template)
  const own = annotationsOf(bare)
  const isFree = (key: Key): boolean => textAt(own, key) === undefined
  const copied = textsBy((key) => (isFree(key) ? said[key] : undefined))
  // Of an overridden word only what may not be loosened matters: else each would roll the pods out.
  const overridden = textsBy((key) =>
    isFree(key) || !annotation(key).tighten || textAt(own, key) === said[key]
      ? undefined
      : said[key],
  )
  const added = KEYS.flatMap((key) => {
    const text = copied[key]
    return text === undefined ? [] : [[`${PREFIX}${key}`, text] as const]
  })
  const record = recordText({ copied, overridden })
  if (record === undefined) return bare
  const annotations = { ...own, ...Object.fromEntries(added), [WORKLOAD_ANNOTATION]: record }
  return withAt(bare, ['metadata', 'annotations'], annotations)
}

const notStrings = (where: string, annotations: JsonObject): readonly string[] =>
  Object.entries(annotations)
    .filter(([name, text]) => isOurs(name) && typeof text !== 'string')
    .map(([name, text]) => `${where}: ${noString(name, text)}`)

/** A CronJob's Jobs have metadata of their own, which nothing of ours reads. */
const misplaced = (where: string, object: JsonObject): readonly string[] => {
  const place = ['spec', 'jobTemplate', 'metadata', 'annotations'] as const
  const names = Object.keys(stringsOf(objectAt(object, ...place))).filter(isOurs)
  return names.length === 0
    ? []
    : [
        `${where}: nothing reads ${names.slice(0, 5).join(', ')} in spec.jobTemplate.metadata; set it on the CronJob itself`,
      ]
}

/** Words that can never hold, where the template's own stand in their place: of those nobody else is told. */
const neverRight = (where: string, said: Texts, template: JsonObject): readonly string[] => {
  const own = annotationsOf(withoutCopies(template))
  return KEYS.flatMap((key) => {
    const [text, instead] = [said[key], textAt(own, key)]
    if (text === undefined || instead === undefined || annotation(key).tighten) return []
    const value = text === instead ? undefined : parseValue(key, text)
    return value === undefined || value.ok
      ? []
      : [`${where}: ${PREFIX}${value.error}; the pod template's own holds in its place`]
  })
}

const warningsOn = (object: JsonObject, where: string): readonly string[] => [
  ...readScope('workload', where, stringsOf(annotationsOf(object))).warnings,
  ...misplacedLabels(stringsOf(objectAt(object, 'metadata', 'labels')), where),
  ...notStrings(where, annotationsOf(object)),
  ...misplaced(where, object),
]

/** How messages name a workload. */
export const placeOf = (object: JsonObject, { kind }: WorkloadKind): string =>
  `${kind} ${nameOf(object)}`

/** Whether there are annotations to write to, or room for them; else the pod's rendering says what is wrong. */
const isWritable = (template: JsonObject): boolean =>
  [at(template, 'metadata'), at(template, 'metadata', 'annotations')].every(
    (value) => value === undefined || isObject(value),
  )

/** The template with its workload's annotations; undefined where there is none to write to. */
export const propagate = (object: JsonObject, kind: WorkloadKind): Propagation | undefined => {
  const before = templateOf(object, kind)
  if (!before) return undefined
  if (isControlled(object) || !isWritable(before)) return { before, after: before, warnings: [] }
  const said = ownTexts(object)
  const where = placeOf(object, kind)
  return {
    before,
    after: copy(before, said),
    warnings: [...warningsOn(object, where), ...neverRight(where, said, before)],
  }
}
