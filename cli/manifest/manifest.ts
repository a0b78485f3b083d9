// Runs over a manifest: each pod, template and Service in it is handed to a judge, and what the judge
// changes is written into its own document. Nothing is printed unless everything went right, so that a
// pipe into kubectl never applies half a file. Pure.

import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { isSame, stringAt, type JsonObject } from '../../shared/json.ts'
import { oneLine } from '../../shared/one-line.ts'
import { changeDocument, type Changed } from './edit/change.ts'
import {
  faultLine,
  placesOf,
  readManifest,
  type Manifest,
  type NumberedDocument,
  type Place,
  type PlaceOptions,
} from './read-manifest.ts'
import { nearMisses } from './near-misses.ts'
import { fateOf, summaryOf, type Fate } from './summary.ts'
import { objectsOf, withReplaced } from './templates.ts'
import { linedText, type LinedText } from './read/lined-text.ts'
import type { Mode } from './edit/work.ts'

export interface ManifestOptions extends PlaceOptions {
  readonly config: ClusterConfig
  /** Whether nobody named a configuration: messages then say where its strictness comes from. */
  readonly isDefaultConfig: boolean
  /** How `explain` prints; text where absent. */
  readonly format?: 'text' | 'json'
}

export interface ManifestResult {
  readonly stdout: string
  readonly stderr: string
  /** What is near to something known, and what became of the documents; undefined where they cannot be read. */
  readonly remarks?: string
  /** 0 done, 1 denied or unreadable. */
  readonly exitCode: 0 | 1
}

export interface Verdict {
  /** The template's pod, or the object, as it is to be; undefined: leave it alone. */
  readonly after: JsonObject | undefined
  readonly mode: Mode
  readonly isDenied: boolean
  /** Why the pod stays as it is, where it does; or else what is told to become of it. */
  readonly why: string
  readonly fate?: Fate
  /** Lines for stderr. */
  readonly notes: readonly string[]
}

export interface Judges {
  /** What is done to a document, as a participle. */
  readonly done: string
  readonly pod: (place: Place) => Verdict
  /** Of a Service; `where` is its document. */
  readonly service?: (object: JsonObject, where: string) => Verdict | undefined
}

/** A document after its pods were judged. */
interface Part {
  readonly document: NumberedDocument
  /** Undefined: as it was. */
  readonly changed: Changed | undefined
  readonly isDenied: boolean
  readonly fate: Fate
  readonly notes: readonly string[]
}

const fateIn = ({ after, isDenied, why, fate }: Verdict, pod: JsonObject): Fate => {
  if (fate) return fate
  if (isDenied) return { kind: 'denied' }
  return after && !isSame(after, pod) ? { kind: 'changed' } : { kind: 'left', why }
}

/** `line 3`, `lines 3, 5-8`. */
const lineList = (lines: readonly number[]): string => {
  const runs: [number, number][] = []
  for (const line of [...new Set(lines)].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last && last[1] >= line - 1) last[1] = line
    else runs.push([line, line])
  }
  const texts = runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
  return `${/[-,]/.test(texts.join()) ? 'lines' : 'line'} ${texts.join(', ')}`
}

const ANEW =
  'it is written anew and its comments are gone: its form leaves no room for single changes'
const LOST =
  'what injection takes off or fills there can stay in no comment; uninject will not give the same bytes back'
const FRESH =
  'written from outrigger.dev/status, which knows values and not how their author wrote them'

const lossNotes = (
  where: string,
  { isAnew, lost }: Changed,
  { lineOf }: LinedText,
): readonly string[] => [
  ...(isAnew ? [`${where}: warning: ${ANEW}`] : []),
  ...(lost.length > 0 ? [`${where}: warning: ${lineList(lost.map(lineOf))}: ${LOST}`] : []),
]

/** One pod that was injected before makes a document's text partly ours. */
const modeOf = (verdicts: readonly Verdict[]): Mode =>
  verdicts.find(({ after, mode }) => after !== undefined && mode !== 'keep')?.mode ?? 'keep'

/** What is judged in a document, pods first, each with its verdict. */
const verdictsOn = (
  { where, value }: NumberedDocument,
  places: readonly Place[],
  { pod, service }: Judges,
): readonly (readonly [JsonObject, Verdict])[] => [
  ...places.map((place) => [place.template.pod, pod(place)] as const),
  ...objectsOf('Service', value).flatMap((object) => {
    const verdict = service?.(object, where)
    return verdict ? [[object, verdict] as const] : []
  }),
]

const judgeDocument = (
  document: NumberedDocument,
  manifest: Manifest,
  options: ManifestOptions,
  judges: Judges,
): Part => {
  const { where, value } = document
  const judged = verdictsOn(document, placesOf(document, manifest, options), judges)
  const verdicts = judged.map(([, verdict]) => verdict)
  const notes = verdicts.flatMap((verdict) => verdict.notes)
  const fate = fateOf(
    judged.map(([before, verdict]) => fateIn(verdict, before)),
    stringAt(value, 'kind') ?? '',
  )
  const isDenied = verdicts.some((verdict) => verdict.isDenied)
  const replaced = judged.flatMap(([before, { after }]) =>
    after && !isSame(after, before) ? [[before, after] as const] : [],
  )
  if (isDenied || replaced.length === 0)
    return { document, changed: undefined, isDenied, fate, notes }
  const after = withReplaced(value, new Map(replaced))
  const changed = changeDocument(manifest.lined, document, after, modeOf(verdicts))
  if (!changed.ok) {
    const fault = faultLine(where, changed.error, manifest.lined)
    return { document, changed: undefined, isDenied: true, fate, notes: [...notes, fault] }
  }
  const losses = lossNotes(where, changed.value, manifest.lined)
  return { document, changed: changed.value, isDenied, fate, notes: [...notes, ...losses] }
}

/** The manifest with its changed documents, and what is to be said of lines that were written anew. */
const joinParts = (
  text: string,
  parts: readonly Part[],
): { readonly text: string; readonly notes: readonly string[] } => {
  const texts: string[] = []
  const fresh: { readonly where: string; readonly start: number; readonly end: number }[] = []
  let [done, length] = [0, 0]
  const push = (piece: string): void => {
    texts.push(piece)
    length += piece.length
  }
  for (const {
    document: { start, end, where },
    changed,
  } of parts) {
    if (!changed) continue
    push(text.slice(done, start))
    for (const range of changed.fresh)
      fresh.push({ where, start: length + range.start, end: length + range.end })
    push(changed.text)
    done = end
  }
  push(text.slice(done))
  const whole = texts.join('')
  if (fresh.length === 0) return { text: whole, notes: [] }
  const { lineOf } = linedText(whole)
  const lines = new Map<string, number[]>()
  for (const { where, start, end } of fresh) {
    const own = lines.get(where) ?? []
    for (let line = lineOf(start); line <= lineOf(end - 1); line += 1) own.push(line)
    lines.set(where, own)
  }
  const notes = [...lines].map(([where, own]) => `${where}: warning: ${lineList(own)}: ${FRESH}`)
  return { text: whole, notes }
}

const report = (notes: readonly string[]): string =>
  notes.map((line) => `${oneLine(line)}\n`).join('')

const NO_OBJECT: Fate = { kind: 'left', why: 'it is no object of Kubernetes: text or a list' }

/** Judges every pod and every Service of a manifest. */
export const runOverManifest = (
  text: string,
  options: ManifestOptions,
  judgesFor: (manifest: Manifest) => Judges,
): ManifestResult => {
  const manifest = readManifest(text, options)
  if (!manifest.ok) return { stdout: '', stderr: report(manifest.error), exitCode: 1 }
  const judges = judgesFor(manifest.value)
  const parts = manifest.value.documents.map((document) =>
    judgeDocument(document, manifest.value, options, judges),
  )
  const notes = parts.flatMap((part) => part.notes)
  const others = Array.from({ length: manifest.value.others }, (): Fate => NO_OBJECT)
  const fates = [...parts.map(({ fate }) => fate), ...others]
  const near = manifest.value.documents.flatMap(({ value, where }) =>
    nearMisses(value).map((line) => `${where}: warning: ${line}`),
  )
  const remarks = report([...near, summaryOf(options.file, fates, judges.done)])
  if (parts.some((part) => part.isDenied)) {
    return { stdout: '', stderr: report(notes), remarks, exitCode: 1 }
  }
  const whole = joinParts(text, parts)
  const stderr = report([...notes, ...whole.notes])
  return { stdout: whole.text, stderr, remarks, exitCode: 0 }
}
