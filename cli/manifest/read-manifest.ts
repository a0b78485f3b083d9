// Reads a manifest once, as kubectl would: its documents, the pods in them, and the namespaces that those are for. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import {
  bareNamespace,
  namespaceOf,
  serviceOf,
  type Namespace,
} from '../../webhook/cluster/namespace.ts'
import { stringAt } from '../../shared/json.ts'
import { readDocument, type ManifestDocument } from './read/document.ts'
import { cutStream } from './read/stream.ts'
import { objectsOf, templatesIn, type Template } from './templates.ts'
import { linedText, type LinedText } from './read/lined-text.ts'
import type { Fault } from './read/tree.ts'

export interface PlaceOptions {
  /** How messages name the text: a file, or `-`. */
  readonly file: string
  /** For objects that name no namespace. */
  readonly namespace: string
  /** Known namespaces, besides those in the manifest. */
  readonly namespaces: readonly Namespace[]
}

export interface Place {
  readonly template: Template
  readonly namespace: Namespace
  /** `FILE: document 2: Deployment everything` */
  readonly where: string
  /** The line where its document begins. */
  readonly line: number
}

export interface NumberedDocument extends ManifestDocument {
  /** `FILE: document 2`, counting the documents that hold something. */
  readonly where: string
}

export interface Manifest {
  readonly lined: LinedText
  /** Those that hold an object. */
  readonly documents: readonly NumberedDocument[]
  /** How many hold something else: text, a list. */
  readonly others: number
  /** Namespaces by name, the manifest's own and those that were known before, with the manifest's Services. */
  readonly known: ReadonlyMap<string, Namespace>
}

/** `FILE: document 2: line 7: what is wrong there` */
export const faultLine = (
  where: string,
  { offset, message }: Fault,
  { lineOf }: LinedText,
): string => `${where}: line ${lineOf(offset)}: ${message}`

const knownNamespaces = (
  documents: readonly ManifestDocument[],
  { namespace, namespaces }: PlaceOptions,
): ReadonlyMap<string, Namespace> => {
  const own = documents.flatMap(({ value }) => objectsOf('Namespace', value)).map(namespaceOf)
  const known = new Map([...namespaces, ...own].map((each) => [each.name, each]))
  const services = Map.groupBy(
    documents.flatMap(({ value }) => objectsOf('Service', value)),
    (object) => stringAt(object, 'metadata', 'namespace') ?? namespace,
  )
  for (const [name, objects] of services) {
    known.set(name, {
      ...(known.get(name) ?? bareNamespace(name)),
      services: objects.map(serviceOf),
    })
  }
  return known
}

const templateHint = (text: string, file: string): readonly string[] =>
  text.includes('{{')
    ? [`${file}: it holds {{, as a template does: render it first (\`helm template\`)`]
    : []

/** Reads all documents, or says of each what is wrong with it. */
export const readManifest = (
  text: string,
  options: PlaceOptions,
): Result<Manifest, readonly string[]> => {
  const lined = linedText(text)
  const pieces = cutStream(text)
  if (!pieces.ok) return fail([faultLine(options.file, pieces.error, lined)])
  const documents: NumberedDocument[] = []
  const errors: string[] = []
  let [number, others] = [0, 0]
  for (const piece of pieces.value) {
    const read = readDocument(text, piece)
    if (read.ok && read.value === 'nothing') continue
    number += 1
    const where = `${options.file}: document ${number}`
    if (!read.ok) errors.push(faultLine(where, read.error, lined))
    else if (typeof read.value === 'string') others += 1
    else documents.push({ ...read.value, where })
  }
  return errors.length > 0
    ? fail([...errors, ...templateHint(text, options.file)])
    : ok({ lined, documents, others, known: knownNamespaces(documents, options) })
}

/** The pods of a document. */
export const placesOf = (
  { value, where, tree }: NumberedDocument,
  { known, lined }: Manifest,
  options: PlaceOptions,
): readonly Place[] =>
  templatesIn(value).map((template) => {
    const name = template.namespace ?? options.namespace
    const namespace = known.get(name) ?? bareNamespace(name)
    const about = `${where}: ${template.kind} ${template.name}`
    return { template, namespace, where: about, line: lined.lineOf(tree.start) }
  })

/** Every pod of a manifest and the namespace that it is for, or why the text cannot be read. */
export const placesIn = (
  text: string,
  options: PlaceOptions,
): Result<readonly Place[], readonly string[]> => {
  const manifest = readManifest(text, options)
  if (!manifest.ok) return manifest
  return ok(manifest.value.documents.flatMap((each) => placesOf(each, manifest.value, options)))
}
