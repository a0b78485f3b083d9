// Runs over a manifest: each pod or template in it is handed to a judge, and what the judge changes
// is written back into its own document. Nothing is printed unless everything went right, so that a
// pipe into kubectl never applies half a file. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { writePatch, type Operation } from '../../webhook/inject/patch.ts'
import type { JsonObject } from '../../shared/json.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { editText, readDocument, type ManifestDocument } from './document.ts'
import { isBlank, splitStream } from './stream.ts'
import { namespacesIn, templatesIn, type Template } from './templates.ts'

export interface PlaceOptions {
  /** How messages name the text: a file, or `-`. */
  readonly file: string
  /** For objects that name no namespace. */
  readonly namespace: string
  /** Known namespaces, besides those in the manifest. */
  readonly namespaces: readonly Namespace[]
}

export interface ManifestOptions extends PlaceOptions {
  readonly config: ClusterConfig
  /** Whether nobody named a configuration: messages then say where its strictness comes from. */
  readonly isDefaultConfig: boolean
}

export interface ManifestResult {
  readonly stdout: string
  readonly stderr: string
  /** 0 done, 1 denied or unreadable. */
  readonly exitCode: 0 | 1
}

export interface Verdict {
  /** The template's pod as it is to be; undefined: leave it alone. */
  readonly after: JsonObject | undefined
  readonly isDenied: boolean
  /** Lines for stderr. */
  readonly notes: readonly string[]
}

export interface Place {
  readonly template: Template
  readonly namespace: Namespace
  /** `FILE: document 2: Deployment everything` */
  readonly where: string
}

type Judge = (place: Place) => Verdict

interface Part {
  readonly text: string
  readonly isDenied: boolean
  readonly notes: readonly string[]
}

const escape = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1')

const under = (path: readonly string[], operations: readonly Operation[]): readonly Operation[] => {
  const prefix = path.map((key) => `/${escape(key)}`).join('')
  return operations.map((operation) =>
    Object.assign({ ...operation }, { path: prefix + operation.path }),
  )
}

interface Numbered extends ManifestDocument {
  /** Counts the documents that hold something, from 1. */
  readonly number: number
}

type Known = ReadonlyMap<string, Namespace>

interface Manifest {
  readonly documents: readonly Numbered[]
  /** Namespaces by name, the manifest's own and those that were known before. */
  readonly known: Known
}

const knownNamespaces = (documents: readonly Numbered[], options: PlaceOptions): Known => {
  const own = documents.flatMap(({ value }) => (value ? namespacesIn(value) : [])).map(namespaceOf)
  return new Map([...options.namespaces, ...own].map((namespace) => [namespace.name, namespace]))
}

/** Reads all documents, or says which cannot be read. */
const readManifest = (text: string, options: PlaceOptions): Result<Manifest, readonly string[]> => {
  const documents: Numbered[] = []
  const errors: string[] = []
  let [number, linesBefore] = [0, 0]
  for (const part of splitStream(text)) {
    if (!isBlank(part)) number += 1
    const document = readDocument(part, linesBefore)
    linesBefore += part.split('\n').length - 1
    if (document.ok) documents.push({ ...document.value, number })
    else errors.push(`${options.file}: document ${number}: ${document.error}`)
  }
  return errors.length > 0
    ? fail(errors)
    : ok({ documents, known: knownNamespaces(documents, options) })
}

interface Change {
  readonly operations: readonly Operation[]
  readonly isDenied: boolean
  readonly notes: readonly string[]
}

/** Has one pod judged, and writes the operations from the document's root to what it became. */
const judgeTemplate = (place: Place, judge: Judge): Change => {
  const { template, where } = place
  const { after, isDenied, notes } = judge(place)
  const patch = after ? writePatch(template.pod, after) : ok([])
  return patch.ok
    ? { operations: under(template.path, patch.value), isDenied, notes }
    : { operations: [], isDenied: true, notes: [...notes, `${where}: ${patch.error}`] }
}

const placesOf = (document: Numbered, options: PlaceOptions, known: Known): readonly Place[] =>
  templatesIn(document.value ?? {}).map((template) => {
    const name = template.namespace ?? options.namespace
    const namespace = known.get(name) ?? { name, labels: {}, annotations: {} }
    const where = `${options.file}: document ${document.number}: ${template.kind} ${template.name}`
    return { template, namespace, where }
  })

const runOverDocument = (
  document: Numbered,
  options: ManifestOptions,
  known: Known,
  judge: Judge,
): Part => {
  const places = placesOf(document, options, known)
  const changes = places.map((place) => judgeTemplate(place, judge))
  const notes = changes.flatMap((change) => change.notes)
  const edited = editText(
    document,
    changes.flatMap((change) => change.operations),
  )
  return edited.ok
    ? { text: edited.value, isDenied: changes.some((change) => change.isDenied), notes }
    : { text: '', isDenied: true, notes: [...notes, `${options.file}: ${edited.error}`] }
}

/** Every pod of a manifest and the namespace that it is for, or why the text cannot be read. */
export const placesIn = (
  text: string,
  options: PlaceOptions,
): Result<readonly Place[], readonly string[]> => {
  const manifest = readManifest(text, options)
  if (!manifest.ok) return manifest
  const { documents, known } = manifest.value
  return ok(documents.flatMap((document) => placesOf(document, options, known)))
}

/** Judges every pod of a manifest. */
export const runOverManifest = (
  text: string,
  options: ManifestOptions,
  judge: Judge,
): ManifestResult => {
  const manifest = readManifest(text, options)
  if (!manifest.ok) return { stdout: '', stderr: lines(manifest.error), exitCode: 1 }
  const { documents, known } = manifest.value
  const parts = documents.map((document) => runOverDocument(document, options, known, judge))
  const isDenied = parts.some((part) => part.isDenied)
  return {
    stdout: isDenied ? '' : parts.map((part) => part.text).join(''),
    stderr: lines(parts.flatMap(({ notes }) => notes)),
    exitCode: isDenied ? 1 : 0,
  }
}

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('')
