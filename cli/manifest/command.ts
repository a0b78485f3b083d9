// `inject`, `uninject` and `explain` as subcommands: reads flags and files, prints what the pure
// functions made of them.

import { fail, ok, type Result } from '../../shared/result.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { defineCommand, type Command, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { oneFile } from '../command/file-flag.ts'
import { readConfig } from '../command/read-config.ts'
import { readSource, readText } from '../command/read-text.ts'
import { encodeSource } from '../command/source.ts'
import { readIndexFile } from '../images/index-file.ts'
import { readerFor } from '../images/reader.ts'
import { explainManifest } from './explain.ts'
import { injectManifest } from './inject.ts'
import type { ManifestOptions, ManifestResult } from './manifest.ts'
import { readManifest } from './read-manifest.ts'
import { resolveImages } from './resolve.ts'
import { objectsOf } from './templates.ts'
import { uninjectManifest } from './uninject.ts'

const readNamespaces = async (file: string | undefined): Promise<Result<Namespace[], string[]>> => {
  if (file === undefined) return ok([])
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const manifest = readManifest(text.value, { file, namespace: '', namespaces: [] })
  if (!manifest.ok) return fail([...manifest.error])
  const found = manifest.value.documents
    .flatMap(({ value }) => objectsOf('Namespace', value))
    .map(namespaceOf)
  return found.length > 0 ? ok(found) : fail([`${file}: holds no Namespace`])
}

const FLAGS = {
  file: {
    short: 'f',
    value: 'FILE',
    doc: 'multi-document YAML or JSON; - reads standard input',
  },
  config: { value: 'FILE', doc: 'the cluster configuration (default: a strict one)' },
  namespace: { short: 'n', value: 'NAME', doc: 'for objects that name none (default: default)' },
  'namespace-file': { value: 'FILE', doc: 'Namespace objects whose labels and annotations count' },
} as const satisfies FlagTable

/** Of the commands that render. */
const IMAGE_FLAGS = {
  images: {
    value: 'FILE',
    doc: 'the image index: a ConfigMap that `outrigger images add` printed',
  },
  'resolve-images': { doc: 'ask the registries for images that the index does not know' },
} as const satisfies FlagTable

interface Flags {
  readonly file: string
  readonly config: string | undefined
  readonly namespace: string | undefined
  readonly namespaceFile: string | undefined
  readonly images: string | undefined
  readonly resolvesImages: boolean
}

const readFlags = ({ text, texts, has }: Given): Result<Flags, string> => {
  const file = oneFile(
    texts('file'),
    'say which manifest to read: -f FILE, or -f - for standard input',
  )
  return file.ok
    ? ok({
        file: file.value,
        config: text('config'),
        namespace: text('namespace'),
        namespaceFile: text('namespace-file'),
        images: text('images'),
        resolvesImages: has('resolve-images'),
      })
    : file
}

const readOptions = async (flags: Flags): Promise<Result<ManifestOptions, string[]>> => {
  const config = await readConfig(flags.config)
  const namespaces = await readNamespaces(flags.namespaceFile)
  const images = await readIndexFile(flags.images)
  if (!config.ok || !namespaces.ok || !images.ok) {
    return fail([config, namespaces, images].flatMap((part) => (part.ok ? [] : part.error)))
  }
  const [first] = namespaces.value
  return ok({
    file: flags.file,
    config: { ...config.value, images: images.value },
    isDefaultConfig: flags.config === undefined,
    namespace: flags.namespace ?? first?.name ?? 'default',
    namespaces: namespaces.value,
  })
}

type Run = (text: string, options: ManifestOptions) => ManifestResult

const report = (io: Io, name: string, problems: readonly string[]): number => {
  for (const problem of problems) io.stderr(`outrigger ${name}: ${problem}\n`)
  return 1
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
  for (const note of notes) io.stderr(`${options.file}: ${note}\n`)
  return ok({ ...options, config: { ...options.config, images } })
}

const runCommand = async (
  { name, run, printsManifest }: ManifestCommand,
  flags: Flags,
  io: Io,
): Promise<number> => {
  const read = await readOptions(flags)
  if (!read.ok) return report(io, name, read.error)
  const source = await readSource(flags.file)
  if (!source.ok) return report(io, name, [source.error])
  const { text } = source.value
  const options = flags.resolvesImages ? await withImages(text, read.value, io) : read
  if (!options.ok) return report(io, name, options.error)
  const { stdout, stderr, exitCode } = run(text, options.value)
  // A manifest goes out as it came in; what is for people is UTF-8.
  io.stdout(printsManifest ? encodeSource(stdout, source.value) : stdout)
  io.stderr(stderr)
  return exitCode
}

interface ManifestCommand {
  readonly name: string
  readonly about: string
  readonly run: Run
  /** Whether images matter to it. */
  readonly isRendering: boolean
  readonly printsManifest: boolean
}

const manifestCommand = (command: ManifestCommand): Command => {
  const { name, about, isRendering } = command
  return defineCommand({
    name,
    synopsis: '-f FILE|- [flags]',
    about,
    flags: isRendering ? { ...FLAGS, ...IMAGE_FLAGS } : FLAGS,
    cleansUp: false,
    readFlags,
    run: (flags, io) => runCommand(command, flags, io),
  })
}

export const inject = manifestCommand({
  name: 'inject',
  about:
    'Prints the manifest with every pod injected that opts in; the rest goes through untouched.\nA denial prints every reason and nothing else, and exits with 1.',
  run: injectManifest,
  isRendering: true,
  printsManifest: true,
})

export const uninject = manifestCommand({
  name: 'uninject',
  about:
    'Gives back the manifest as it was before inject, byte for byte where it can; where not, a\nwarning says which lines.',
  run: uninjectManifest,
  isRendering: false,
  printsManifest: true,
})

export const explain = manifestCommand({
  name: 'explain',
  about: 'Prints, for each pod and workload, its settings, their scopes, and the changes.',
  run: explainManifest,
  isRendering: true,
  printsManifest: false,
})
