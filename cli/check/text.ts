// What was found, a line each, as compilers have it: FILE:LINE: what it is about: what is wrong. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { isForStrictness, STRICT } from '../manifest/inject.ts'
import type { ManifestOptions } from '../manifest/manifest.ts'
import { countsOf, type ReportedFile } from '../manifest/report.ts'
import type { ToldObject } from '../manifest/told-objects.ts'
import { plural } from '../output/plural.ts'

const aboutOf = (file: string, { line, name }: ToldObject): string => `${file}:${line}: ${name}`

const linesOn = (file: string, object: ToldObject): readonly string[] => [
  ...object.violations.map(({ message }) => `${aboutOf(file, object)}: denied: ${message}`),
  ...object.warnings.map((warning) => `${aboutOf(file, object)}: warning: ${warning}`),
]

const totals = (files: readonly ReportedFile[]): string => {
  const { pods, injected, leftAlone, denied } = countsOf(files)
  const parts = [`${denied} denied`, `${injected} injected`, `${leftAlone} left alone`]
  const policies = files
    .flatMap((file) => file.objects)
    .filter(({ violations }) => violations.length > 0).length
  const others = policies === 0 ? '' : `; NetworkPolicies denied: ${policies}`
  return `${plural(pods, 'pod')} in ${plural(files.length, 'file')}: ${parts.join(', ')}${others}`
}

export const checkText = (files: readonly ReportedFile[]): string =>
  [
    ...files.flatMap(({ file, pods, objects, faults }) => [
      ...faults,
      ...[...pods, ...objects].flatMap((object) => linesOn(file, object)),
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
