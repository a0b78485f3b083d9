// `inject`, `uninject` and `explain` as subcommands: reads flags and files, prints what the pure
// functions made of them.

import { defineCommand, tell, type Command, type Io } from '../command/command.ts'
import { manifestFiles } from '../command/manifest-files.ts'
import { encodeSource } from '../command/source.ts'
import { explainManifest } from './explain.ts'
import { injectManifest } from './inject.ts'
import { OFFERED, readFlags, type Flags } from './manifest-flags.ts'
import type { ManifestOptions, ManifestResult } from './manifest.ts'
import { isClean, reportJson, reportText } from './report.ts'
import { reportFiles } from './report-files.ts'
import { readManifestFile, readOptions } from './sources.ts'
import { uninjectManifest } from './uninject.ts'

type Run = (text: string, options: ManifestOptions) => ManifestResult

const report = (io: Io, name: string, problems: readonly string[]): number => {
  for (const problem of problems) tell(io, name, problem)
  return 1
}

/** Prints the report; exit code 1 where anything is denied or cannot be read. */
const runReport = async (name: string, flags: Flags, io: Io): Promise<number> => {
  const [read, files] = [await readOptions(flags), await manifestFiles(flags.files)]
  if (!read.ok) return report(io, name, read.error)
  if (!files.ok) return report(io, name, [files.error])
  const around = { options: read.value, resolvesImages: flags.resolvesImages }
  const { files: reported, notes } = await reportFiles(files.value, around, io)
  io.stdout(flags.report === 'json' ? reportJson(reported) : reportText(reported, read.value))
  for (const note of notes) tell(io, name, note)
  return isClean(reported) ? 0 : 1
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
  const found = await readManifestFile(read.value.file, around, io)
  if (!found.ok) return report(io, name, found.error)
  const { source, options } = found.value
  const { stdout, stderr, remarks, exitCode } = run(source.text, {
    ...options,
    format: flags.output,
  })
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
