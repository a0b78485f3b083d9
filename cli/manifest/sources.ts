// What the commands that judge manifests read: the configuration, namespaces, the image index, and the manifests themselves.

import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import type { Io } from '../command/command.ts'
import { readConfig } from '../command/read-config.ts'
import { readSource, readText } from '../command/read-text.ts'
import type { Source } from '../command/source.ts'
import { readIndexFile } from '../images/index-file.ts'
import { readerFor } from '../images/reader.ts'
import { IS_DIRECTORY } from '../output/system-words.ts'
import type { ManifestOptions } from './manifest.ts'
import type { SourceFlags } from './manifest-flags.ts'
import { readManifest } from './read-manifest.ts'
import { resolveImages } from './resolve.ts'
import { objectsOf } from './templates.ts'

/** The Namespaces of a manifest, or why it cannot be read. */
export const namespacesIn = (
  text: string,
  file: string,
): Result<Namespace[], readonly string[]> => {
  const manifest = readManifest(text, { file, namespace: '', namespaces: [] })
  if (!manifest.ok) return manifest
  const objects = manifest.value.documents.flatMap(({ value }) => objectsOf('Namespace', value))
  return ok(objects.map(namespaceOf))
}

const readNamespaces = async (file: string | undefined): Promise<Result<Namespace[], string[]>> => {
  if (file === undefined) return ok([])
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const found = namespacesIn(text.value, file)
  if (!found.ok) return fail([...found.error])
  return found.value.length > 0 ? found : fail([`${file}: holds no Namespace`])
}

/** What the flags say of how manifests are judged; the errors are everything that is wrong with it. */
export const readOptions = async (
  flags: SourceFlags,
): Promise<Result<ManifestOptions, string[]>> => {
  const config = await readConfig(flags.config)
  const namespaces = await readNamespaces(flags.namespaceFile)
  const images = await readIndexFile(flags.images)
  if (!config.ok || !namespaces.ok || !images.ok) {
    return fail([config, namespaces, images].flatMap((part) => (part.ok ? [] : part.error)))
  }
  const [first] = namespaces.value
  return ok({
    file: flags.files[0] ?? '-',
    config: { ...config.value, images: images.value },
    isDefaultConfig: flags.config === undefined,
    namespace: flags.namespace ?? first?.name ?? 'default',
    namespaces: namespaces.value,
  })
}

/** The options with what the registries say of the manifest's images. */
const withImages = async (
  text: string,
  options: ManifestOptions,
  io: Io,
): Promise<Result<ManifestOptions, string[]>> => {
  const reader = await readerFor(options.config, io)
  if (!reader.ok) return fail([reader.error])
  const { images, notes } = await resolveImages(text, options, reader.value)
  reader.value.close()
  for (const note of notes) io.stderr(`${oneLine(`${options.file}: ${note}`)}\n`)
  return ok({ ...options, config: { ...options.config, images } })
}

/** Of a directory, who takes one. */
const withWay = (fault: string): string =>
  fault.endsWith(IS_DIRECTORY) ? `${fault}; inject --report and check take directories` : fault

export interface Around {
  readonly options: ManifestOptions
  /** Whether registries are asked for images that nobody has recorded. */
  readonly resolvesImages: boolean
}

/** A file, and the options for it. */
export const readManifestFile = async (
  file: string,
  { options, resolvesImages }: Around,
  io: Io,
): Promise<Result<{ readonly source: Source; readonly options: ManifestOptions }, string[]>> => {
  const source = await readSource(file)
  if (!source.ok) return fail([withWay(source.error)])
  const own = { ...options, file }
  const found = resolvesImages ? await withImages(source.value.text, own, io) : ok(own)
  return found.ok ? ok({ source: source.value, options: found.value }) : found
}
