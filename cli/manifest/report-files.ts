// What becomes of the pods of many manifest files: each is read and judged by itself, but a Namespace that stands in one of
// them is that of its pods in all.

import type { Namespace } from '../../webhook/cluster/namespace.ts'
import { isSame, type JsonObject } from '../../shared/json.ts'
import type { Io } from '../command/command.ts'
import { readSource } from '../command/read-text.ts'
import { reportOn, type ReportedFile } from './report.ts'
import { namespacesIn, readManifestFile, type Around } from './sources.ts'

interface Found {
  readonly file: string
  readonly namespace: Namespace
}

interface Known {
  readonly namespaces: readonly Namespace[]
  readonly notes: readonly string[]
}

const wordsOf = ({ labels, annotations }: Namespace): JsonObject => ({ labels, annotations })

/** As `kubectl apply` leaves them: the last word holds. */
const knownOf = (found: readonly Found[]): Known => {
  const byName = new Map<string, Found>()
  const notes: string[] = []
  for (const each of found) {
    const { name } = each.namespace
    const earlier = byName.get(name)
    if (earlier && !isSame(wordsOf(earlier.namespace), wordsOf(each.namespace))) {
      notes.push(
        `Namespace ${name} stands in ${earlier.file} and, otherwise, in ${each.file}: pods of it in other files are judged by the latter; --namespace-file FILE chooses`,
      )
    }
    byName.set(name, each)
  }
  return { namespaces: [...byName.values()].map(({ namespace }) => namespace), notes }
}

/** Standard input can be read once, so that its Namespaces are those of its own pods alone; what cannot be read is told later. */
const namespacesOf = async (
  files: readonly string[],
  chosen: ReadonlySet<string>,
): Promise<Known> => {
  const found: Found[] = []
  if (files.length < 2) return knownOf(found)
  for (const file of files.filter((each) => each !== '-')) {
    const source = await readSource(file)
    // Most files hold none, and reading each as YAML twice takes twice as long.
    if (!source.ok || !source.value.text.includes('Namespace')) continue
    const own = namespacesIn(source.value.text, file)
    if (own.ok) found.push(...own.value.map((namespace) => ({ file, namespace })))
  }
  return knownOf(found.filter(({ namespace }) => !chosen.has(namespace.name)))
}

interface Reported {
  readonly files: readonly ReportedFile[]
  /** What whoever asked should know of how they were judged. */
  readonly notes: readonly string[]
}

/** Judges the pods of each file. */
export const reportFiles = async (
  files: readonly string[],
  { options, resolvesImages }: Around,
  io: Io,
): Promise<Reported> => {
  const chosen = new Set(options.namespaces.map(({ name }) => name))
  const { namespaces, notes } = await namespacesOf(files, chosen)
  const all = [...namespaces, ...options.namespaces]
  const around = { options: { ...options, namespaces: all }, resolvesImages }
  const reported: ReportedFile[] = []
  for (const file of files) {
    const found = await readManifestFile(file, around, io)
    reported.push(
      found.ok
        ? reportOn(found.value.source.text, found.value.options)
        : { file, pods: [], objects: [], faults: found.error },
    )
  }
  return { files: reported, notes }
}
