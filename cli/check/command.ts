// `outrigger check`: the verdicts of admission on manifests, before anybody applies them. Nothing is written.

import { isAsked, type Level } from '../../webhook/settings/modes.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { manifestFiles } from '../command/manifest-files.ts'
import type { ManifestOptions } from '../manifest/manifest.ts'
import { isClean, reportJson, type ReportedFile } from '../manifest/report.ts'
import { reportFiles } from '../manifest/report-files.ts'
import { readOptions } from '../manifest/sources.ts'
import { FLAGS, readFlags, type CheckFlags, type Format } from './check-flags.ts'
import { checkSarif } from './sarif.ts'
import { checkNotes, checkText } from './text.ts'

const NAME = 'check'

/** The configuration, asking for no less than a level. */
const raised = (options: ManifestOptions, level: Level | undefined): ManifestOptions => {
  const { floor } = options.config
  if (level === undefined || isAsked(level, floor.enforce)) return options
  return { ...options, config: { ...options.config, floor: { ...floor, enforce: level } } }
}

const PRINTED: Readonly<Record<Format, (files: readonly ReportedFile[]) => string>> = {
  text: checkText,
  json: reportJson,
  sarif: (files) => checkSarif(files, process.cwd()),
}

const run = async (flags: CheckFlags, io: Io): Promise<number> => {
  const [read, files] = [await readOptions(flags), await manifestFiles(flags.files)]
  const problems = [...(read.ok ? [] : read.error), ...(files.ok ? [] : [files.error])]
  for (const problem of problems) tell(io, NAME, problem)
  if (!read.ok || !files.ok) return 1
  const around = { options: raised(read.value, flags.level), resolvesImages: flags.resolvesImages }
  const { files: checked, notes } = await reportFiles(files.value, around, io)
  io.stdout(PRINTED[flags.format](checked))
  for (const note of [...notes, ...checkNotes(checked, read.value)]) tell(io, NAME, note)
  return isClean(checked) ? 0 : 1
}

export const check = defineCommand({
  name: NAME,
  synopsis: '-f FILE|DIR|- [flags]',
  about:
    'Says of every pod in manifests what admission would: denied and why, by the rules too, or\nwarned. Exits with 1 where anything is denied or cannot be read.',
  flags: FLAGS,
  cleansUp: false,
  readFlags,
  run,
})
