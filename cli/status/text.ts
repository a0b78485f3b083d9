// How workloads stand, for people and for programs. Pure.

import { oneLine } from '../../shared/one-line.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { POLICY_GATE } from '../../webhook/inject/gate.ts'
import { jsonText } from '../output/json.ts'
import { plural } from '../output/plural.ts'
import { whyFree, type Reached } from './reached.ts'
import { STATES, type Row, type Sidecar, type State } from './status.ts'

/** Of a cell; JSON has all. */
const MAX_CELL = 64
const NOTHING = '-'

const WORDS: Readonly<Record<State, string>> = {
  bare: 'MISSING',
  other: 'another',
  absent: 'no pod',
  inside: 'yes',
}

const SENTENCES: Readonly<Record<State, string>> = {
  bare: 'without the sidecar that it asks for',
  other: 'with another sidecar than the configuration names',
  absent: 'without a pod',
  inside: 'as they are to be',
}

const few = ([first = '', ...others]: readonly string[]): string =>
  others.length === 0 ? first : `${first} (+${others.length})`

const callersOf = ({ settings, issuers, trustDomains }: SidecarConfig): readonly string[] =>
  settings.auth === 'none'
    ? []
    : [
        ...issuers.map(({ url }) => url.replace(/^https:\/\//, '')),
        ...trustDomains.flatMap(({ ids }) => ids),
      ]

const authCell = (config: SidecarConfig): string => {
  const callers = callersOf(config)
  return callers.length === 0 ? config.settings.auth : `${config.settings.auth}: ${few(callers)}`
}

const policiesOf = ({ basePolicy, toolPolicy }: SidecarConfig): readonly string[] => [
  ...(basePolicy === undefined ? [] : ['base']),
  ...(toolPolicy === undefined ? [] : ['own']),
]

const egressCell = (config: SidecarConfig): string => {
  const declared = config.settings.egress ?? []
  const words = declared.length === 0 ? 'nothing' : few(declared)
  if (whyFree(config) === undefined) return `enforce: ${words}`
  return config.settings['egress-mode'] === 'enforce' ? 'not confined' : 'observe'
}

/** Of what its newest pod was told. */
const toldCells = (sidecar: Sidecar | undefined): readonly string[] => {
  const config = sidecar?.config
  if (!config) return [NOTHING, NOTHING, NOTHING]
  return [authCell(config), policiesOf(config).join('+') || 'none', egressCell(config)]
}

const HEAD = ['NAMESPACE', 'WORKLOAD', 'SIDECAR', 'READY', 'AUTH', 'POLICY', 'EGRESS']
const LAST = ['ACCOUNT', 'SERVER IMAGE', 'SIDECAR IMAGE']

const companionsCell = (missing: readonly string[] | undefined): string => {
  if (missing === undefined) return NOTHING
  return missing.length === 0 ? 'yes' : `lacks ${few(missing)}`
}

/** Companions have a column where somebody asks for them. */
const cellsOf = (row: Row, hasCompanions: boolean): readonly string[] => {
  const [newest, ...others] = row.sidecars
  const more = others.length === 0 ? '' : ` (+${others.length})`
  return [
    row.namespace,
    `${row.kind}/${row.name}`,
    WORDS[row.state],
    `${row.ready}/${row.desired}`,
    ...toldCells(newest),
    ...(hasCompanions ? [companionsCell(row.missingCompanions)] : []),
    few(row.accounts) || NOTHING,
    newest?.serverImage ?? NOTHING,
    newest === undefined ? NOTHING : `${newest.image}${more}`,
  ]
}

const cut = (text: string): string =>
  text.length <= MAX_CELL ? text : `${text.slice(0, MAX_CELL - 1)}…`

/** Columns of one width each; the last as it is. */
const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const clean = rows.map((cells) => cells.map((cell) => cut(oneLine(cell))))
  const widths = (clean[0] ?? []).map((_, at) =>
    Math.max(...clean.map((cells) => cells[at]?.length ?? 0)),
  )
  return clean.map((cells) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const sentence = ({ namespace, kind, name, state, bare }: Row): string => {
  const many = state === 'bare' ? `${plural(bare, 'pod')} of it ` : ''
  return `${namespace}: ${kind} ${name}: ${many}${many === '' ? 'runs' : bare === 1 ? 'runs' : 'run'} ${SENTENCES[state]}`
}

const adviceLines = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap((row) =>
    row.advice === undefined ? [] : [sentence(row), `  do: ${row.advice}`].map(oneLine),
  )

const heldWords = ({ namespace, kind, name, held }: Row): readonly string[] => {
  const wait = held === 1 ? 'waits for its' : 'wait for their'
  const them = held === 1 ? 'it' : 'them'
  return [
    `${namespace}: ${kind} ${name}: ${plural(held, 'pod')} of it ${wait} NetworkPolicy (${POLICY_GATE})`,
    `  do: the controller lets go of ${them}: \`outrigger doctor\` says whether one is there, the Event PodsHeld why it does not`,
  ]
}

const heldLines = (rows: readonly Row[]): readonly string[] =>
  rows.filter(({ held }) => held > 0).flatMap((row) => heldWords(row).map(oneLine))

const total = (rows: readonly Row[]): string => {
  const counts = STATES.flatMap((state) => {
    const many = rows.filter((row) => row.state === state).length
    return many === 0 ? [] : [`${many} ${SENTENCES[state]}`]
  })
  return `${plural(rows.length, 'workload')} under Outrigger: ${counts.join(', ')}`
}

const printed = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** Whether nothing is to be done about any. */
export const isAllWell = (rows: readonly Row[]): boolean =>
  rows.every(({ state }) => state === 'inside' || state === 'absent')

export const statusText = (rows: readonly Row[]): string => {
  if (rows.length === 0) {
    return 'nothing here is under Outrigger; `outrigger scan` finds what looks like an MCP server\n'
  }
  const hasCompanions = rows.some(({ missingCompanions }) => missingCompanions !== undefined)
  const head = [...HEAD, ...(hasCompanions ? ['COMPANIONS'] : []), ...LAST]
  const lines = table([head, ...rows.map((row) => cellsOf(row, hasCompanions))])
  return printed([...lines, ...adviceLines(rows), ...heldLines(rows), total(rows)])
}

/** A row with the ways by which it may reach the backend that was asked for. */
export interface ReachingRow {
  readonly row: Row
  readonly ways: readonly Reached[]
}

const OTHERS =
  'whatever is not under Outrigger may reach it as far as the network lets it: `outrigger scan -A`'

/** Of those that may reach a backend: a line for each way. */
export const reachingText = (found: readonly ReachingRow[], backend: string): string =>
  printed([
    ...(found.length === 0
      ? [oneLine(`none under Outrigger here may reach ${backend}`)]
      : table([
          ['NAMESPACE', 'WORKLOAD', 'HOW', 'BY'],
          ...found.flatMap(({ row, ways }) =>
            ways.map(({ how, by }) => [row.namespace, `${row.kind}/${row.name}`, how, by]),
          ),
        ])),
    OTHERS,
  ])

const sidecarJson = ({ config, ...sidecar }: Sidecar) => ({
  ...sidecar,
  ...(config === undefined
    ? {}
    : {
        auth: config.settings.auth,
        callers: callersOf(config),
        policies: policiesOf(config),
        egress: {
          mode: config.settings['egress-mode'],
          isConfined: whyFree(config) === undefined,
          isAdvisory: config.egress?.confinement === 'advisory',
          destinations: config.settings.egress ?? [],
        },
      }),
})

const rowJson = ({ sidecars, ...row }: Row) => ({ ...row, sidecars: sidecars.map(sidecarJson) })

/** All of it. */
export const statusJson = (rows: readonly Row[]): string =>
  jsonText({ workloads: rows.map(rowJson) })

export const reachingJson = (found: readonly ReachingRow[]): string =>
  jsonText({ workloads: found.map(({ row, ways }) => ({ ...rowJson(row), ways })) })
