// Reads our annotations where they may stand: one set of texts per scope. Unknown keys are warnings
// with the nearest match; whether a value is right is for resolve.ts.

import { isKey, KEYS, PREFIX, type Key, type Scope } from '../../shared/annotations.ts'
import {
  INJECTED_LABEL,
  INJECTION_LABEL,
  SERVER_LABEL,
  STATUS_ANNOTATION,
  WORKLOAD_ANNOTATION,
} from '../../shared/names.ts'
import { nearest } from '../../shared/nearest.ts'

/** How a message names the cluster's scope. */
export const CLUSTER = 'cluster configuration'

export interface ScopeTexts {
  readonly scope: Scope
  /** How a message names the scope: `namespace team-a`, `pod`. */
  readonly where: string
  readonly texts: ReadonlyMap<Key, string>
  readonly warnings: readonly string[]
}

/** Annotations that we write ourselves. */
const WRITTEN = new Set([STATUS_ANNOTATION, WORKLOAD_ANNOTATION])

/** Whether a label or annotation name is one of ours, known or not. */
export const isOurs = (name: string): boolean => name.startsWith(PREFIX)

// Nobody mistypes more than a few; each is compared with every key of the table.
const MAX_UNKNOWN = 5

const unknown = (where: string, word: string): string => {
  if (`${PREFIX}${word}` === INJECTION_LABEL) {
    return `${where}: ${INJECTION_LABEL} is not an annotation of Outrigger; it is a label, and of namespaces alone`
  }
  const match = nearest(word, KEYS)
  const hint = match === undefined ? '' : `; did you mean ${PREFIX}${match}?`
  return `${where}: ${PREFIX}${word.slice(0, 80)} is not an annotation of Outrigger${hint}`
}

/** The first few unknown words, and how many more there are. */
const unknowns = (where: string, words: readonly string[], remark = ''): readonly string[] => {
  const told = words.slice(0, MAX_UNKNOWN).map((word) => `${unknown(where, word)}${remark}`)
  const more = words.length - told.length
  return more === 0
    ? told
    : [
        ...told,
        `${where}: ${more} more names under ${PREFIX} are not annotations of Outrigger${remark}`,
      ]
}

/** The texts of our keys among annotations. */
export const readScope = (
  scope: Scope,
  where: string,
  annotations: Readonly<Record<string, string>>,
): ScopeTexts => {
  const texts = new Map<Key, string>()
  const words: string[] = []
  for (const [name, text] of Object.entries(annotations)) {
    if (!isOurs(name) || WRITTEN.has(name)) continue
    const word = name.slice(PREFIX.length)
    if (isKey(word)) texts.set(word, text)
    else words.push(word)
  }
  return { scope, where, texts, warnings: unknowns(where, words) }
}

/** Warnings for labels under our prefix that should have been annotations. */
export const misplacedLabels = (
  labels: Readonly<Record<string, string>>,
  where: string,
): readonly string[] => {
  const words = Object.keys(labels)
    .filter((name) => isOurs(name) && name !== INJECTED_LABEL && name !== SERVER_LABEL)
    .map((name) => name.slice(PREFIX.length))
  return [
    ...words
      .filter(isKey)
      .map((word) => `${where}: ${PREFIX}${word} is an annotation, not a label`),
    ...unknowns(
      where,
      words.filter((word) => !isKey(word)),
      ' (and it stands among the labels)',
    ),
  ]
}
