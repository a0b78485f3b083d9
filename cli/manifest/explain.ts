// `outrigger explain`: which settings hold for each pod of a manifest, where each comes from, and
// what injection would change. Pure.

import { annotation, KEYS, type Key } from '../../shared/annotations.ts'
import { SHIM_PATH } from '../../shared/names.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { SKIP_REASONS, type Inject, type Outcome } from '../../webhook/inject/outcome.ts'
import { pathParts, type Operation } from '../../webhook/inject/patch.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'
import { scopesOf } from '../../webhook/inject/render.ts'
import {
  at,
  objectsAt,
  stringAt,
  stringsAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import { destinationsFor } from '../../webhook/settings/destinations.ts'
import type { Placed } from '../../webhook/settings/placed.ts'
import { isSameQuantity, RESOURCES } from '../../webhook/settings/quantity.ts'
import { resolveSettings } from '../../webhook/settings/resolve.ts'
import { jsonText } from '../output/json.ts'
import { decide, notesOn, whyLeft } from './inject.ts'
import {
  runOverManifest,
  type ManifestOptions,
  type ManifestResult,
  type Verdict,
} from './manifest.ts'
import {
  callerLines,
  callerVariableLines,
  egressLines,
  lockLines,
  neededLines,
  policyLines,
  reachLines,
  validationLines,
} from './reach.ts'
import type { Place } from './read-manifest.ts'
import { lend } from './workload.ts'

const headline = (outcome: Outcome): string => {
  if (outcome.kind === 'inject') return 'injected'
  if (outcome.kind === 'skip') return `left alone: ${SKIP_REASONS[outcome.reason]}`
  const { length } = outcome.violations
  return `denied for ${length} reason${length === 1 ? '' : 's'}`
}

interface Row {
  readonly key: Key
  readonly value: string
  readonly from: string
  /** Whether anything acts on it. */
  readonly isBuilt: boolean
}

/** Callers are kept away by companions alone. */
const isKept = (key: Key, { companions }: ClusterConfig): boolean =>
  key !== 'ingress-from' || companions !== undefined

/** How many processes there will be at most, where nobody has said: the shim is told. */
const derivedProcesses = (outcome: Outcome): readonly Row[] => {
  if (outcome.kind !== 'inject') return []
  const lines = objectsAt(outcome.pod, 'spec', 'containers').map(
    (container) => stringsAt(container, 'command') ?? [],
  )
  const line = lines.find((words) => words[0] === SHIM_PATH && words[1] === 'serve') ?? []
  const value = line[line.indexOf('--max-processes') + 1]
  return value === undefined || !line.includes('--max-processes')
    ? []
    : [
        {
          key: 'max-processes',
          value,
          from: 'derived from the memory limit, 32 without one',
          isBuilt: true,
        },
      ]
}

const REQUESTS: ReadonlyMap<Key, (typeof RESOURCES)[number]> = new Map(
  RESOURCES.map((name) => [`sidecar-${name}-request`, name] as const),
)

/** What the sidecar asks for in the end: in a Guaranteed pod that is its limit, whatever was said. */
const asAsked = (row: Row, outcome: Outcome): Row => {
  const name = REQUESTS.get(row.key)
  if (name === undefined || outcome.kind !== 'inject') return row
  const asked = stringAt(ownSidecar(outcome.pod), 'resources', 'requests', name) ?? row.value
  if (isSameQuantity(asked, row.value)) return row
  const from = `the sidecar-${name}-limit, in the place of \`${row.value}\`: so a Guaranteed pod stays one`
  return { ...row, value: asked, from }
}

/** The words of higher scopes that bind one, the nearest first. */
const bounds = ({ text, within }: Placed): string => {
  if (!within) return ''
  const said = within.text === text ? '' : `, within \`${within.text}\` of ${within.where}`
  return `${said}${bounds(within)}`
}

/** Where the words of `egress` come from in the end. */
const listedBound = (key: Key, { namespace }: Place, { config }: ManifestOptions): string => {
  if (key !== 'egress') return ''
  const listed = destinationsFor(namespace.name, config.floor.egress)
  return `, of \`${listed.join(',')}\` in floor.egress`
}

const settingRows = (place: Place, outcome: Outcome, options: ManifestOptions): readonly Row[] => {
  const { config } = options
  const { pod, workload } = lend(place.template)
  const scopes = scopesOf(pod, place.namespace, config, workload)
  const { placed } = resolveSettings(scopes, config.floor)
  const rows = KEYS.flatMap((key) => {
    const found = placed.get(key)
    if (!found) return []
    const { default: usual } = annotation(key)
    const isCut = found.isDefault && found.text !== usual
    const bound = annotation(key).tighten ? bounds(found) : ''
    const from = isCut
      ? `the default ${usual}, bent to the floor`
      : `${found.where}${bound}${listedBound(key, place, options)}`
    return [asAsked({ key, value: found.text, from, isBuilt: isKept(key, config) }, outcome)]
  })
  return placed.has('max-processes') ? rows : [...rows, ...derivedProcesses(outcome)]
}

const settingLines = (rows: readonly Row[]): readonly string[] => {
  const keyWidth = Math.max(...rows.map(({ key }) => key.length))
  const valueWidth = Math.max(...rows.map(({ value }) => value.length))
  return rows.map(({ key, value, from, isBuilt }) =>
    `    ${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${from}${isBuilt ? '' : ' (nothing acts on it: the cluster configuration has no companions)'}`.trimEnd(),
  )
}

const SIGNS = { add: '+', replace: '~', remove: '-' } as const

/** `/spec/containers/0/command` → `spec.containers[server].command`, names read from either pod. */
const readable = (operation: Operation, pods: readonly JsonObject[]): string => {
  const parts = pathParts(operation)
  return parts.reduce((text, part, index) => {
    if (!/^\d+$/.test(part)) return text === '' ? part : `${text}.${part}`
    const items = pods.map((pod) => item(at(pod, ...parts.slice(0, index)), Number(part)))
    return `${text}[${items.find((name) => name !== undefined) ?? part}]`
  }, '')
}

const item = (list: Json | undefined, index: number): string | undefined => {
  const found: Json | undefined = Array.isArray(list) ? list[index] : undefined
  return stringAt(found, 'name')
}

const changeLines = ({ patch, pod }: Inject, before: JsonObject): readonly string[] =>
  patch.map((operation: Operation) => {
    const pods = operation.op === 'remove' ? [before, pod] : [pod, before]
    return `${SIGNS[operation.op]} ${readable(operation, pods)}`
  })

/** What there is to say of one pod. */
interface Explained {
  readonly where: string
  readonly namespace: string
  readonly outcome: string
  readonly notes: readonly string[]
  readonly settings: readonly Row[]
  readonly reach: readonly string[]
  readonly callers: readonly string[]
  readonly callerVariables: readonly string[]
  readonly policies: readonly string[]
  readonly locks: readonly string[]
  readonly arguments: readonly string[]
  readonly egress: readonly string[]
  readonly needs: readonly string[]
  readonly changes: readonly string[]
}

const explained = (place: Place, outcome: Outcome, options: ManifestOptions): Explained => {
  const linesOf = (say: (pod: JsonObject) => readonly string[]): readonly string[] =>
    outcome.kind === 'inject' ? say(outcome.pod) : []
  return {
    where: place.where,
    namespace: place.namespace.name,
    outcome: headline(outcome),
    notes: notesOn(outcome, place.where, options).map((note) =>
      note.replace(`${place.where}: `, ''),
    ),
    settings: settingRows(place, outcome, options),
    reach: linesOf(reachLines),
    callers: linesOf(callerLines),
    callerVariables: linesOf(callerVariableLines),
    policies: linesOf(policyLines),
    locks: linesOf(lockLines),
    arguments: linesOf(validationLines),
    egress: linesOf(egressLines),
    needs: linesOf(neededLines),
    changes: outcome.kind === 'inject' ? changeLines(outcome, lend(place.template).pod) : [],
  }
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`  ${title}`, ...lines.map((line) => `    ${line}`)]

const textOf = (one: Explained): string =>
  [
    `${one.where} (namespace ${one.namespace}): ${one.outcome}`,
    ...one.notes.map((note) => `  ${note}`),
    '  settings, and where each stands',
    ...settingLines(one.settings),
    ...section('by which ports callers reach the server', one.reach),
    ...section('whose tokens let callers in', one.callers),
    ...section('what a process of the server has of its caller', one.callerVariables),
    ...section('by which tool policies a call is decided', one.policies),
    ...section('by which tool locks what it lists goes on', one.locks),
    ...section('by what arguments are checked', one.arguments),
    ...section('what the server may reach on the network', one.egress),
    ...section('what the namespace must hold, or the pod does not start', one.needs),
    ...section('what injection changes', one.changes),
    '',
  ]
    .map(oneLine)
    .join('\n')

const FATES = {
  inject: { kind: 'changed' },
  deny: { kind: 'denied' },
} as const

/** Explains every pod of a manifest, all on one stream; exit code 1 where one is denied. */
export const explainManifest = (text: string, options: ManifestOptions): ManifestResult => {
  const all: Explained[] = []
  const judge = (place: Place): Verdict => {
    const outcome = decide(place, options)
    all.push(explained(place, outcome, options))
    const why = whyLeft(outcome)
    const fate = outcome.kind === 'skip' ? ({ kind: 'left', why } as const) : FATES[outcome.kind]
    const isDenied = outcome.kind === 'deny'
    return { after: undefined, mode: 'keep', isDenied, why, fate, notes: [] }
  }
  const result = runOverManifest(text, options, () => ({ pod: judge, done: 'would be injected' }))
  if (options.format === 'json') return { ...result, stdout: jsonText(all) }
  const none = result.exitCode === 0 ? `${options.file}: holds no pod and no workload\n` : ''
  return { ...result, stdout: all.length > 0 ? all.map(textOf).join('\n') : none }
}
