// A change of a namespace's object, as much of it as is ours: what its labels and annotations ask of its pods, and what of
// that gets less. Pure.

import { AUDIT_LABEL, ENFORCE_LABEL, INJECTION_LABEL, WARN_LABEL } from '../../shared/names.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { optsIn, type Namespace } from '../cluster/namespace.ts'
import { quoted } from '../rules/finding.ts'
import type { Breach } from '../rules/judge.ts'
import { ASKED, isMistyped, wordedModes, type Modes } from '../settings/modes.ts'
import { isOurs } from '../settings/scopes.ts'
import { looserTexts } from './texts.ts'

export interface NamespaceChange {
  readonly before: Namespace
  readonly after: Namespace
  /** The groups of whoever asks. */
  readonly groups: readonly string[]
}

const FIELDS = ['labels', 'annotations'] as const

/** Whether anything under our prefix differs. */
export const isOfOurs = ({ before, after }: NamespaceChange): boolean =>
  FIELDS.some((field) =>
    [before, after].some((one) =>
      Object.keys(one[field]).some(
        (name) => isOurs(name) && before[field][name] !== after[field][name],
      ),
    ),
  )

const LEVELS = [
  ['enforce', ENFORCE_LABEL],
  ['warn', WARN_LABEL],
  ['audit', AUDIT_LABEL],
] as const satisfies readonly (readonly [keyof Modes, string])[]

const lowerLevels = (
  { before, after }: NamespaceChange,
  { floor }: ClusterConfig,
): readonly string[] => {
  // A mistyped one is strict to pods alone: it can be mended, and takes no right level's place, or the next step were free.
  const [was, is] = [wordedModes(before, floor), wordedModes(after, floor)]
  return LEVELS.filter(([mode]) => ASKED.indexOf(is[mode]) < ASKED.indexOf(was[mode])).map(
    ([mode, label]) => {
      const word = after.labels[label]
      const now = isMistyped(word) ? `${quoted(word ?? '')}, which is none` : is[mode]
      return `label ${label}: ${was[mode]} becomes ${now}`
    },
  )
}

/** What a change takes off a namespace. */
export const loosened = (
  change: NamespaceChange,
  config: ClusterConfig,
): readonly (Breach & { readonly rule: 'namespaces' })[] => {
  const isOut = optsIn(change.before) && !optsIn(change.after)
  const found = [
    ...(isOut ? [`label ${INJECTION_LABEL}: "enabled" is taken off`] : []),
    ...lowerLevels(change, config),
    ...looserTexts(change.before, change.after, config),
  ]
  const where = `namespace ${change.after.name}`
  return found.map((each) => ({ rule: 'namespaces' as const, where, found: each }))
}
