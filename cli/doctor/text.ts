// What a doctor has found, for people and for programs. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { jsonText } from '../output/json.ts'
import { VERDICTS, type Finding, type Verdict } from './finding.ts'

const WORDS: Readonly<Record<Verdict, string>> = {
  fault: 'FAULT',
  unread: 'UNREAD',
  warning: 'warning',
  ok: 'ok',
}
const WIDTH = Math.max(...Object.values(WORDS).map(({ length }) => length))

const countsOf = (findings: readonly Finding[]): Readonly<Record<Verdict, number>> => {
  const of = (verdict: Verdict): number =>
    findings.filter((finding) => finding.verdict === verdict).length
  return { fault: of('fault'), unread: of('unread'), warning: of('warning'), ok: of('ok') }
}

/** Whether nothing is wrong, as far as everything could be read. */
export const isWell = (findings: readonly Finding[]): boolean => {
  const { fault, unread } = countsOf(findings)
  return fault + unread === 0
}

const MANY: Readonly<Record<Verdict, readonly [one: string, more: string]>> = {
  fault: ['fault', 'faults'],
  unread: ['unread', 'unread'],
  warning: ['warning', 'warnings'],
  ok: ['ok', 'ok'],
}

const total = (findings: readonly Finding[]): string => {
  const counts = countsOf(findings)
  return VERDICTS.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${MANY[verdict][counts[verdict] === 1 ? 0 : 1]}`)
    .join(', ')
}

/** A line for each, with what to do in a second one, and how many there are. */
export const diagnosisText = (findings: readonly Finding[]): string =>
  [
    ...findings.flatMap(({ check, verdict, what, advice }) => [
      `${WORDS[verdict].padEnd(WIDTH)}  ${check}: ${what}`,
      ...(advice === undefined ? [] : [`${' '.repeat(WIDTH)}  do: ${advice}`]),
    ]),
    total(findings),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')

export const diagnosisJson = (findings: readonly Finding[]): string =>
  jsonText({ ...countsOf(findings), findings })
