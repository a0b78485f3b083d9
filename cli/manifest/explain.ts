// `outrigger explain`: which settings hold for each pod of a manifest, where each comes from, and
// what injection would change. Pure.

import { KEYS } from '../../shared/annotations.ts'
import { SKIP_REASONS, type Inject, type Outcome } from '../../webhook/inject/outcome.ts'
import { pathParts, type Operation } from '../../webhook/inject/patch.ts'
import { scopesOf } from '../../webhook/inject/render.ts'
import { at, stringAt, type Json, type JsonObject } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import { resolveSettings } from '../../webhook/settings/resolve.ts'
import { decide, notesOn } from './inject.ts'
import {
  runOverManifest,
  type ManifestOptions,
  type ManifestResult,
  type Verdict,
} from './manifest.ts'
import { reachLines } from './reach.ts'
import type { Place } from './read-manifest.ts'
import { lend } from './workload.ts'

const headline = (outcome: Outcome): string => {
  if (outcome.kind === 'inject') return 'injected'
  if (outcome.kind === 'skip') return `left alone: ${SKIP_REASONS[outcome.reason]}`
  const { length } = outcome.violations
  return `denied for ${length} reason${length === 1 ? '' : 's'}`
}

const settingLines = (place: Place, { config }: ManifestOptions): readonly string[] => {
  const { pod, workload } = lend(place.template)
  const scopes = scopesOf(pod, place.namespace, config, workload)
  const { placed } = resolveSettings(scopes, config.floor)
  const rows = KEYS.flatMap((key) => {
    const found = placed.get(key)
    return found ? [[key, found.text, found.where] as const] : []
  })
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map(([key, text, where]) =>
    `    ${key.padEnd(widths[0] ?? 0)}  ${text.padEnd(widths[1] ?? 0)}  ${where}`.trimEnd(),
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
    return `    ${SIGNS[operation.op]} ${readable(operation, pods)}`
  })

const explain = (place: Place, outcome: Outcome, options: ManifestOptions): string => {
  const { namespace, where } = place
  const changes = outcome.kind === 'inject' ? changeLines(outcome, lend(place.template).pod) : []
  return [
    `${where} (namespace ${namespace.name}): ${headline(outcome)}`,
    '  settings, and where each stands',
    ...settingLines(place, options),
    ...(outcome.kind === 'inject'
      ? [
          '  by which ports callers reach the server',
          ...reachLines(outcome.pod).map((line) => `    ${line}`),
          '  what injection changes',
          ...(changes.length > 0 ? changes : ['    nothing more']),
        ]
      : []),
    '',
  ]
    .map(oneLine)
    .join('\n')
}

/** Explains every pod of a manifest; exit code 1 where one is denied, its reasons on stderr. */
export const explainManifest = (text: string, options: ManifestOptions): ManifestResult => {
  const texts: string[] = []
  const judge = (place: Place): Verdict => {
    const outcome = decide(place, options)
    texts.push(explain(place, outcome, options))
    const notes = notesOn(outcome, place.where, options)
    return { after: undefined, mode: 'keep', isDenied: outcome.kind === 'deny', notes }
  }
  const result = runOverManifest(text, options, () => ({ pod: judge }))
  const none = result.exitCode === 0 ? `${options.file}: holds no pod and no workload\n` : ''
  return { ...result, stdout: texts.length > 0 ? texts.join('\n') : none }
}
