// What became of a manifest, in one line for people: how many documents, what was done to them, and why not. Pure.

import type { SkipReason } from '../../webhook/inject/outcome.ts'

/** What became of one document, or of a pod in it. */
export interface Fate {
  readonly kind: 'changed' | 'denied' | 'left'
  /** Of what was left as it is. */
  readonly why?: string
}

/** Why a pod is left as it is, in a few words. */
export const SKIPPED: Readonly<Record<SkipReason, string>> = {
  'not-opted-in': 'nothing opts it in (outrigger.dev/inject: "true")',
  'opted-out': 'it opts out',
  'system-namespace': 'its namespace is the system’s',
  'mirror-pod': 'it mirrors a static pod',
  'no-server': 'no MCP server can be found in it',
}

const MAX_REASONS = 4

/** How often each reason counts, most often first. */
const reasons = (fates: readonly Fate[]): string => {
  const counts = Map.groupBy(fates, ({ why }) => why ?? '')
  const told = [...counts]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([why, { length }]) => (fates.length === length ? why : `${length}: ${why}`))
  const more = told.length > MAX_REASONS ? `, and ${told.length - MAX_REASONS} reasons more` : ''
  return `${told.slice(0, MAX_REASONS).join(', ')}${more}`
}

/** One document's fate of those of its pods: changed where one is, else left for the first one's reason. */
export const fateOf = (fates: readonly Fate[], kind: string): Fate =>
  fates.find((fate) => fate.kind === 'denied') ??
  fates.find((fate) => fate.kind === 'changed') ??
  fates[0] ?? { kind: 'left', why: kind === '' ? 'it names no kind' : `${kind} holds no pod` }

const parts = (fates: readonly Fate[], done: string): readonly string[] => {
  const [changed, denied, left] = (['changed', 'denied', 'left'] as const).map((kind) =>
    fates.filter((fate) => fate.kind === kind),
  )
  return [
    ...(changed && changed.length > 0 ? [`${changed.length} ${done}`] : []),
    ...(denied && denied.length > 0 ? [`${denied.length} denied`] : []),
    ...(left && left.length > 0 ? [`${left.length} left as they are (${reasons(left)})`] : []),
  ]
}

/** `app.yaml: 3 documents: 1 injected, 2 left as they are (Service holds no pod)`; `done`: what is done to a document. */
export const summaryOf = (file: string, fates: readonly Fate[], done: string): string => {
  if (fates.length === 0) return `${file}: it holds no document: nothing to do`
  const documents = fates.length === 1 ? '1 document' : `${fates.length} documents`
  return `${file}: ${documents}: ${parts(fates, done).join(', ').replace('1 left as they are', '1 left as it is')}`
}
