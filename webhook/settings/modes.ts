// How strictly pods of a namespace are judged, and what comes of it: denied, warned about, or only on
// record. The floor's word for every namespace; a namespace's labels can raise its own. Pure.

import { AUDIT_LABEL, ENFORCE_LABEL, WARN_LABEL } from '../../shared/names.ts'
import type { Floor } from './floor.ts'

/** What is asked of a pod: `baseline` is the restricted Pod Security Standard and what injection itself needs, `strict` more. */
export const LEVELS = ['baseline', 'strict'] as const
export type Level = (typeof LEVELS)[number]

/** From nothing to everything. */
export const ASKED = ['off', ...LEVELS] as const
export type Asked = (typeof ASKED)[number]

export interface Modes {
  readonly enforce: Asked
  readonly warn: Asked
  readonly audit: Asked
}

const rankOf = (text: string | undefined): number => ASKED.findIndex((asked) => asked === text)

/** Whether a level is asked for. */
export const isAsked = (level: Level, asked: Asked): boolean => rankOf(level) <= rankOf(asked)

const higher = (floor: Asked, label: string | undefined): Asked =>
  ASKED[Math.max(rankOf(floor), rankOf(label))] ?? floor

interface Labelled {
  readonly labels: Readonly<Record<string, string>>
}

/** Whether a label says something that is no level. */
export const isMistyped = (label: string | undefined): boolean =>
  label !== undefined && rankOf(label) === -1

/** Whoever mistypes what is enforced has wanted something: he gets everything. */
const enforced = (label: string | undefined): string | undefined =>
  isMistyped(label) ? 'strict' : label

type Floors = Pick<Floor, 'enforce' | 'warn' | 'audit'>

/** What its labels ask for in right words, with what the floor does: nobody takes that off. */
export const wordedModes = ({ labels }: Labelled, { enforce, warn, audit }: Floors): Modes => ({
  enforce: higher(enforce, labels[ENFORCE_LABEL]),
  warn: higher(warn, labels[WARN_LABEL]),
  audit: higher(audit, labels[AUDIT_LABEL]),
})

/** What holds in a namespace of these labels. */
export const modesOf = ({ labels }: Labelled, floor: Floors): Modes => ({
  ...wordedModes({ labels }, floor),
  enforce: higher(floor.enforce, enforced(labels[ENFORCE_LABEL])),
})

const COUNTS = [
  [ENFORCE_LABEL, 'as strict'],
  [WARN_LABEL, 'for nothing'],
  [AUDIT_LABEL, 'for nothing'],
] as const

/** The labels of a namespace that are no level, and what they count for. */
export const modeWarnings = ({
  name,
  labels,
}: Labelled & { readonly name: string }): readonly string[] =>
  COUNTS.filter(([label]) => isMistyped(labels[label])).map(
    ([label, counts]) =>
      `namespace ${name}: label ${label}: ${JSON.stringify(labels[label])} is none of ${ASKED.join(', ')}; it counts ${counts}`,
  )
