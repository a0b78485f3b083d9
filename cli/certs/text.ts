// What an inspection has found, for people and for programs. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { jsonText } from '../output/json.ts'
import { plural } from '../output/plural.ts'
import type { Inspection } from './inspection.ts'

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]

export const inspectionText = ({ authorities, bundles, serving, faults }: Inspection): string =>
  [
    ...section(
      'authorities',
      authorities.map(
        ({ where, role, subject, digest, from, until }) =>
          `${digest} ${role}: ${subject}, ${from} to ${until} (${where})`,
      ),
    ),
    ...section(
      'caBundle',
      bundles.map(({ where, digests }) => `${where}: ${digests.join(', ') || 'nobody'}`),
    ),
    ...section(
      'serving',
      serving.map(
        ({ where, end, signedBy, isTrusted }) =>
          `${where}: until ${end}, signed by ${signedBy}, ${isTrusted ? 'trusted' : 'not trusted'}`,
      ),
    ),
    ...section(
      'wrong',
      faults.flatMap(({ what, advice }) => [what, `  do: ${advice}`]),
    ),
    faults.length === 0 ? 'nothing is wrong' : plural(faults.length, 'fault'),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')

export const inspectionJson = (inspection: Inspection): string => jsonText(inspection)
