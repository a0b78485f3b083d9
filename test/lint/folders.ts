// Imports against the plan of folders. Pure. Fails closed: a folder that stands in no line may neither import nor be
// imported, and an import that cannot be read is wrong.

import { dirname, join } from 'node:path/posix'
import type { Plan } from './plan.ts'

export interface Import {
  /** Files, by their paths from the root. */
  readonly from: string
  readonly to: string
}

// As prettier writes them, over several lines too: `import … from`, `export … from`, `import('…')`, `import '…'`.
const IMPORT = /(?:^|\s|\})from '([^']+)'|\bimport\(\s*'([^']+)'|^import '([^']+)'/gm
const COMPUTED = /\bimport\(\s*(?!['\s])(?!import\.meta)/

/** The imports of files of this repository, type-only ones too; those of packages are left out. */
export const importsOf = (path: string, source: string): readonly Import[] => {
  const found = [...source.matchAll(IMPORT)].flatMap(([, from, dynamic, bare]) => {
    const specifier = from ?? dynamic ?? bare ?? ''
    return specifier.startsWith('.') ? [{ from: path, to: join(dirname(path), specifier) }] : []
  })
  return COMPUTED.test(source)
    ? [...found, { from: path, to: 'what a computed import() names' }]
    : found
}

/** A folder's place: the line of its program, and its own line in there. */
interface Place {
  readonly program: string
  readonly programLine: number
  readonly folder: string
  readonly folderLine: number
}

const lineOf = (lines: readonly string[], name: string): number =>
  lines.findIndex((line) => line.split(' ').includes(name))

const placeOf = ({ programs, floors }: Plan, file: string): Place | undefined => {
  const [program = '', ...rest] = dirname(file).split('/')
  const programLine = lineOf(programs, program)
  const folder = rest.join('/') || '.'
  const folderLine = lineOf(floors[program] ?? ['.'], folder)
  return programLine === -1 || folderLine === -1
    ? undefined
    : { program, programLine, folder, folderLine }
}

const isAllowed = (from: Place, to: Place): boolean => {
  if (from.program !== to.program) return from.programLine < to.programLine
  return from.folder === to.folder || from.folderLine < to.folderLine
}

/** A sentence for each import that goes up, sideways, or where the plan has no folder. */
export const wrongImports = (plan: Plan, imports: readonly Import[]): readonly string[] =>
  imports.flatMap(({ from, to }) => {
    const [here, there] = [placeOf(plan, from), placeOf(plan, to)]
    if (!here) return [`${from}: its folder stands in no line of test/lint/plan.ts`]
    if (!there) return [`${from} imports ${to}: that folder stands in no line of test/lint/plan.ts`]
    return isAllowed(here, there)
      ? []
      : [`${from} imports ${to}: ${dirname(to)} is not below ${dirname(from)} (test/lint/plan.ts)`]
  })

/** The folders of the plan in which no file stands. */
export const emptyFolders = ({ programs, floors }: Plan, files: readonly string[]): string[] => {
  const folders = new Set(files.map((file) => dirname(file)))
  return programs
    .flatMap((line) => line.split(' '))
    .flatMap((program) =>
      (floors[program] ?? ['.'])
        .flatMap((line) => line.split(' '))
        .map((folder) => join(program, folder)),
    )
    .filter((folder) => !folders.has(folder))
    .map((folder) => `test/lint/plan.ts names ${folder}, where no file stands`)
}
