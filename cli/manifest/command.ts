// `inject`, `uninject` and `explain` as subcommands: reads flags and files, prints what the pure
// functions made of them.

import { oneLine } from '../../shared/one-line.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { defineCommand, tell, type Command, type Io } from '../command/command.ts'
import { manifestFiles } from '../command/manifest-files.ts'
import { readConfig } from '../command/read-config.ts'
import { readSource, readText } from '../command/read-text.ts'
import { encodeSource, type Source } from '../command/source.ts'
import { readIndexFile } from '../images/index-file.ts'
import { readerFor } from '../images/reader.ts'
import { explainManifest } from './explain.ts'
import { injectManifest } from './inject.ts'
import { OFFERED, readFlags, type Flags } from './manifest-flags.ts'
import type { ManifestOptions, ManifestResult } from './manifest.ts'
import { readManifest } from './read-manifest.ts'
import { reportJson, reportOn, reportText, type ReportedFile } from './report.ts'
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

const readOptions = async (flags: Flags): Promise<Result<ManifestOptions, string[]>> => {
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
    format: flags.output,
    namespace: flags.namespace ?? first?.name ?? 'default',
    namespaces: namespaces.value,
  })
}

type Run = (text: string, options: ManifestOptions) => ManifestResult

const report = (io: Io, name: string, problems: readonly string[]): number => {
  for (const problem of problems) tell(io, name, problem)
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
  for (const note of notes) io.stderr(`${oneLine(`${options.file}: ${note}`)}\n`)
  return ok({ ...options, config: { ...options.config, images } })
}

/** A file, and the options for it. */
const readFile = async (
  file: string,
  {
    options,
    resolvesImages,
  }: { readonly options: ManifestOptions; readonly resolvesImages: boolean },
  io: Io,
): Promise<Result<{ readonly source: Source; readonly options: ManifestOptions }, string[]>> => {
  const source = await readSource(file)
  if (!source.ok) return fail([source.error])
  const own = { ...options, file }
  const found = resolvesImages ? await withImages(source.value.text, own, io) : ok(own)
  return found.ok ? ok({ source: source.value, options: found.value }) : found
}

/** Prints the report; exit code 1 where anything is denied or cannot be read. */
const runReport = async (name: string, flags: Flags, io: Io): Promise<number> => {
  const [read, files] = [await readOptions(flags), await manifestFiles(flags.files)]
  if (!read.ok) return report(io, name, read.error)
  if (!files.ok) return report(io, name, [files.error])
  const reported: ReportedFile[] = []
  for (const file of files.value) {
    const around = { options: read.value, resolvesImages: flags.resolvesImages }
    const found = await readFile(file, around, io)
    reported.push(
      found.ok
        ? reportOn(found.value.source.text, found.value.options)
        : { file, pods: [], faults: found.error },
    )
  }
  io.stdout(flags.report === 'json' ? reportJson(reported) : reportText(reported, read.value))
  const isClean = reported.every(
    ({ pods, faults }) => faults.length === 0 && pods.every(({ decision }) => decision !== 'deny'),
  )
  return isClean ? 0 : 1
}

const runCommand = async (
  { name, run, printsManifest }: ManifestCommand,
  flags: Flags,
  io: Io,
): Promise<number> => {
  if (flags.report) return runReport(name, flags, io)
  const read = await readOptions(flags)
  if (!read.ok) return report(io, name, read.error)
  const around = { options: read.value, resolvesImages: flags.resolvesImages }
  const found = await readFile(read.value.file, around, io)
  if (!found.ok) return report(io, name, found.error)
  const { source, options } = found.value
  const { stdout, stderr, remarks, exitCode } = run(source.text, options)
  // A manifest goes out as it came in; what is for people is UTF-8.
  io.stdout(printsManifest ? encodeSource(stdout, source) : stdout)
  io.stderr(stderr)
  io.stderr(remarks ?? '')
  return exitCode
}

interface ManifestCommand {
  readonly name: string
  readonly about: string
  readonly run: Run
  readonly offered: keyof typeof OFFERED
  readonly printsManifest: boolean
}

const manifestCommand = (command: ManifestCommand): Command => {
  const { name, about, offered } = command
  return defineCommand({
    name,
    synopsis: '-f FILE|- [flags]',
    about,
    flags: OFFERED[offered],
    cleansUp: false,
    readFlags: readFlags[offered],
    run: (flags, io) => runCommand(command, flags, io),
  })
}

export const inject = manifestCommand({
  name: 'inject',
  about:
    'Prints the manifest with every pod injected that opts in; the rest goes through untouched.\nA denial prints every reason and nothing else, and exits with 1.',
  run: injectManifest,
  offered: 'reporting',
  printsManifest: true,
})

export const uninject = manifestCommand({
  name: 'uninject',
  about:
    'Gives back the manifest as it was before inject, byte for byte where it can; where not, a\nwarning says which lines.',
  run: uninjectManifest,
  offered: 'restoring',
  printsManifest: true,
})

export const explain = manifestCommand({
  name: 'explain',
  about: 'Prints, for each pod and workload, its settings, their scopes, and the changes.',
  run: explainManifest,
  offered: 'explaining',
  printsManifest: false,
})
