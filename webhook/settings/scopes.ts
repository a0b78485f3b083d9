// Reads our annotations where they may stand: one set of texts per scope. Unknown keys are warnings
// with the nearest match; whether a value is right is for resolve.ts.

import { isKey, KEYS, PREFIX, type Key, type Scope } from '../../shared/annotations.ts'
import { INJECTED_LABEL, SERVER_LABEL, STATUS_ANNOTATION } from '../../shared/names.ts'
import { nearest } from '../../shared/nearest.ts'

export interface ScopeTexts {
  readonly scope: Scope
  /** How a message names the scope: `namespace team-a`, `pod`. */
  readonly where: string
  readonly texts: ReadonlyMap<Key, string>
  readonly warnings: readonly string[]
}

/** Whether a label or annotation name is one of ours, known or not. */
export const isOurs = (name: string): boolean => name.startsWith(PREFIX)

const unknown = (where: string, word: string): string => {
  const match = nearest(word, KEYS)
  const hint = match === undefined ? '' : `; did you mean ${PREFIX}${match}?`
  return `${where}: ${PREFIX}${word.slice(0, 80)} is not an annotation of Outrigger${hint}`
}

/** The texts of our keys among annotations. */
export const readScope = (
  scope: Scope,
  where: string,
  annotations: Readonly<Record<string, string>>,
): ScopeTexts => {
  const texts = new Map<Key, string>()
  const warnings: string[] = []
  for (const [name, text] of Object.entries(annotations)) {
    if (!isOurs(name) || name === STATUS_ANNOTATION) continue
    const word = name.slice(PREFIX.length)
    if (isKey(word)) texts.set(word, text)
    else warnings.push(unknown(where, word))
  }
  return { scope, where, texts, warnings }
}

/** Warnings for labels under our prefix that should have been annotations. */
export const misplacedLabels = (labels: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(labels)
    .filter((name) => isOurs(name) && name !== INJECTED_LABEL && name !== SERVER_LABEL)
    .map((name) => {
      const word = name.slice(PREFIX.length)
      return isKey(word)
        ? `pod: ${name} is an annotation, not a label`
        : `${unknown('pod', word)} (and it stands among the labels)`
    })
