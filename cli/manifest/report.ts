// `outrigger inject --report`: what would become of every pod of many manifests, counted: injected and
// with which warnings, left alone and why, denied and for what. Nothing is written. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { SKIP_REASONS, type Outcome } from '../../webhook/inject/outcome.ts'
import { RULE_IDS, RULES } from '../../webhook/settings/rule.ts'
import { VIOLATIONS } from '../../webhook/settings/violation.ts'
import { jsonText } from '../output/json.ts'
import { plural } from '../output/plural.ts'
import { isForStrictness, judgesFor, STRICT } from './inject.ts'
import { runOverManifest, type ManifestOptions } from './manifest.ts'
import type { Place } from './read-manifest.ts'
import { kindOfWarning } from './warning-kinds.ts'
import { reported, toldObjects, type ToldObject } from './told-objects.ts'

/** What becomes of one pod. */
export interface ReportedPod extends ToldObject {
  readonly decision: Outcome['kind']
  /** Why it is left alone. */
  readonly reason?: string
}

/** Of one file: its pods, or why it cannot be read. */
export interface ReportedFile {
  readonly file: string
  readonly pods: readonly ReportedPod[]
  /** Those of which there is more to be said. */
  readonly objects: readonly ToldObject[]
  /** Lines that say what is wrong with the file itself. */
  readonly faults: readonly string[]
}

const podOf = ({ where, line, template }: Place, outcome: Outcome): ReportedPod => ({
  where,
  line,
  name: `${template.kind} ${template.name}`,
  decision: outcome.kind,
  ...(outcome.kind === 'skip' ? { reason: outcome.reason } : {}),
  warnings: outcome.warnings,
  violations: outcome.kind === 'deny' ? outcome.violations.map(reported) : [],
})

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '')

/** What becomes of the pods of one manifest. */
export const reportOn = (text: string, options: ManifestOptions): ReportedFile => {
  const pods: ReportedPod[] = []
  const objects: ToldObject[] = []
  const { stderr } = runOverManifest(text, options, (manifest) => {
    objects.push(...toldObjects(manifest, options))
    const judges = judgesFor(manifest, options, (place, outcome) => {
      pods.push(podOf(place, outcome))
    })
    const pod: typeof judges.pod = (place) => ({
      ...judges.pod(place),
      after: undefined,
      notes: [],
    })
    return { pod, done: judges.done }
  })
  return { file: options.file, pods, objects, faults: linesOf(stderr) }
}

/** Whether nothing is denied, and everything can be read. */
export const isClean = (files: readonly ReportedFile[]): boolean =>
  files.every(
    ({ pods, objects, faults }) =>
      faults.length === 0 &&
      [...pods, ...objects].every(({ violations }) => violations.length === 0),
  )

/** How many pods each of some words holds for, most first. */
const count = (words: readonly (readonly string[])[]): readonly (readonly [string, number])[] => {
  const counts = new Map<string, number>()
  for (const word of words.flatMap((own) => [...new Set(own)])) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
}

export interface Counts {
  readonly files: number
  readonly pods: number
  readonly injected: number
  readonly leftAlone: number
  readonly denied: number
  /** Of those that are injected, by what a warning is about. */
  readonly warnings: readonly (readonly [string, number])[]
  readonly reasons: readonly (readonly [string, number])[]
  readonly violations: readonly (readonly [string, number])[]
}

export const countsOf = (files: readonly ReportedFile[]): Counts => {
  const pods = files.flatMap((file) => file.pods)
  const of = (kind: Outcome['kind']) => pods.filter(({ decision }) => decision === kind)
  const [injected, left, denied] = [of('inject'), of('skip'), of('deny')]
  return {
    files: files.length,
    pods: pods.length,
    injected: injected.length,
    leftAlone: left.length,
    denied: denied.length,
    warnings: count(injected.map(({ warnings }) => warnings.map(kindOfWarning))),
    reasons: count(left.map(({ reason = '' }) => [reason])),
    violations: count(
      denied.map(({ violations }) => violations.map(({ code, rule }) => rule ?? code)),
    ),
  }
}

const rows = (title: string, counted: readonly (readonly [string, number])[]): readonly string[] =>
  counted.length === 0
    ? []
    : ['', title, ...counted.map(([word, many]) => `${String(many).padStart(6)}  ${word}`)]

/** Of a code, and of a rule: what must be so. */
const MEANINGS: Readonly<Record<string, string>> = {
  ...VIOLATIONS,
  ...Object.fromEntries(RULE_IDS.map((id) => [id, RULES[id].what])),
}

const meaning = (table: Readonly<Record<string, string>>) => (word: string) =>
  `${word}: ${Object.hasOwn(table, word) ? (table[word] ?? '') : ''}`

const withMeaning = (
  counted: readonly (readonly [string, number])[],
  table: Readonly<Record<string, string>>,
): readonly (readonly [string, number])[] =>
  counted.map(([word, many]) => [meaning(table)(word), many])

/** The report for people: counts first, then every denial, every warning besides those that are counted, every file that cannot be read. */
export const reportText = (
  files: readonly ReportedFile[],
  { isDefaultConfig }: Pick<ManifestOptions, 'isDefaultConfig'>,
): string => {
  const counts = countsOf(files)
  const pods = files.flatMap((file) => file.pods)
  const isStrict = isDefaultConfig && pods.some(({ violations }) => isForStrictness(violations))
  const objects = files.flatMap((file) => file.objects)
  const denials = [...pods, ...objects].flatMap(({ where, violations }) =>
    violations.map(({ message }) => `  ${where}: ${message}`),
  )
  const warned = objects.flatMap(({ where, warnings }) =>
    warnings.map((warning) => `  ${where}: ${warning}`),
  )
  const faults = files.flatMap((file) => file.faults.map((fault) => `  ${fault}`))
  const totals = [
    ['injected', counts.injected],
    ['left alone', counts.leftAlone],
    ['denied', counts.denied],
  ] as const
  return [
    `${plural(counts.pods, 'pod')} in ${plural(counts.files, 'file')}`,
    ...totals.map(([word, many]) => `${String(many).padStart(6)}  ${word}`),
    ...rows('injected, with a warning', counts.warnings),
    ...rows('left alone, because', withMeaning(counts.reasons, SKIP_REASONS)),
    ...rows('denied, for', withMeaning(counts.violations, MEANINGS)),
    ...(isStrict ? ['', STRICT] : []),
    ...(denials.length > 0 ? ['', 'each denial', ...denials] : []),
    ...(warned.length > 0 ? ['', 'other warnings', ...warned] : []),
    ...(faults.length > 0 ? ['', 'not read', ...faults] : []),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')
}

/** The report for programs. */
export const reportJson = (files: readonly ReportedFile[]): string => {
  const { warnings, reasons, violations, ...totals } = countsOf(files)
  return jsonText({
    ...totals,
    warnings: Object.fromEntries(warnings),
    reasons: Object.fromEntries(reasons),
    violations: Object.fromEntries(violations),
    details: files.flatMap(({ pods }) => pods),
    objects: files.flatMap(({ objects }) => objects),
    notRead: files.flatMap(({ faults }) => faults),
  })
}
