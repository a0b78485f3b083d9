// What was found, a line each, as compilers have it: FILE:LINE: what it is about: what is wrong. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { isForStrictness, STRICT } from '../manifest/inject.ts'
import type { ManifestOptions } from '../manifest/manifest.ts'
import { countsOf, type ReportedFile, type ReportedPod } from '../manifest/report.ts'
import type { WarnedObject } from '../manifest/warned-objects.ts'
import { plural } from '../output/plural.ts'

const aboutOf = (file: string, { line, name }: WarnedObject): string => `${file}:${line}: ${name}`

const denialLines = (file: string, pod: ReportedPod): readonly string[] =>
  pod.violations.map(({ message }) => `${aboutOf(file, pod)}: denied: ${message}`)

const warningLines = (file: string, object: WarnedObject): readonly string[] =>
  object.warnings.map((warning) => `${aboutOf(file, object)}: warning: ${warning}`)

const totals = (files: readonly ReportedFile[]): string => {
  const { pods, injected, leftAlone, denied } = countsOf(files)
  const parts = [`${denied} denied`, `${injected} injected`, `${leftAlone} left alone`]
  return `${plural(pods, 'pod')} in ${plural(files.length, 'file')}: ${parts.join(', ')}`
}

export const checkText = (files: readonly ReportedFile[]): string =>
  [
    ...files.flatMap(({ file, pods, objects, faults }) => [
      ...faults,
      ...pods.flatMap((pod) => [...denialLines(file, pod), ...warningLines(file, pod)]),
      ...objects.flatMap((object) => warningLines(file, object)),
    ]),
    totals(files),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')

const isForStrict = (files: readonly ReportedFile[]): boolean =>
  files.some(({ pods }) => pods.some(({ violations }) => isForStrictness(violations)))

const hasPods = (files: readonly ReportedFile[]): boolean =>
  files.some(({ pods, faults }) => pods.length + faults.length > 0)

/** What whoever asked should know beside that. */
export const checkNotes = (
  files: readonly ReportedFile[],
  { isDefaultConfig }: Pick<ManifestOptions, 'isDefaultConfig'>,
): readonly string[] => [
  ...(isDefaultConfig && isForStrict(files) ? [STRICT] : []),
  ...(hasPods(files) ? [] : ['no pod stands there, so none was judged']),
]
