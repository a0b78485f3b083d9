// What a scan has found, for people and for programs. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { jsonText } from '../output/json.ts'
import { plural } from '../output/plural.ts'
import { STATES, type Found, type State } from './scan.ts'
import type { Reach, Way } from './ways.ts'

const FROM: Readonly<Record<Reach, string>> = {
  outside: 'from outside the cluster',
  nodes: 'from wherever its nodes are reached',
  cluster: 'from within the cluster',
}

const WORDS: Readonly<Record<State, string>> = {
  outside: 'not under Outrigger',
  stale: 'asked for, and running without the sidecar',
  inside: 'under Outrigger',
}

const wayWords = ({ by, from }: Way): string => `${by}, ${FROM[from]}`

const reached = (ways: readonly Way[]): string =>
  ways.length === 0
    ? "its pods' addresses alone, as far as is known: a Service leads to none of them"
    : ways.map(wayWords).join('; ')

const block = ({ namespace, kind, name, state, signs, ways, advice }: Found): readonly string[] => [
  `${namespace}: ${kind} ${name}: ${WORDS[state]}`,
  `  looks like an MCP server: ${signs.join('; ')}`,
  `  reached by: ${reached(ways)}`,
  ...(advice === undefined ? [] : [`  do: ${advice}`]),
]

const counts = (found: readonly Found[]): Readonly<Record<State, number>> => {
  const of = (state: State): number => found.filter((one) => one.state === state).length
  return { outside: of('outside'), stale: of('stale'), inside: of('inside') }
}

export const isAllInside = (found: readonly Found[]): boolean =>
  found.every(({ state }) => state === 'inside')

const LOOK_FIRST =
  'look first: `kubectl annotate --dry-run=server` prints what their pods will be told, or denied for, and `outrigger check -f FILE` says it of a manifest'

/** A block for each that needs somebody, one line of counts, and how to know what will come of it. */
export const scanText = (found: readonly Found[]): string => {
  const many = counts(found)
  const total = STATES.filter((state) => many[state] > 0)
    .map((state) => `${many[state]} ${WORDS[state]}`)
    .join(', ')
  const looks = found.length === 1 ? 'looks like an MCP server' : 'look like MCP servers'
  return [
    ...found.filter(({ state }) => state !== 'inside').flatMap(block),
    found.length === 0
      ? 'nothing here looks like an MCP server'
      : `${plural(found.length, 'workload')} ${looks}: ${total}`,
    ...(isAllInside(found) ? [] : [LOOK_FIRST]),
  ]
    .map((line) => `${oneLine(line)}\n`)
    .join('')
}

/** All of them. */
export const scanJson = (found: readonly Found[]): string => jsonText({ ...counts(found), found })
