// The commands of a README as a reader meets them: its shell blocks, each under its heading, the first column of its
// table of commands, and what stands in its sentences. Pure. It throws where there are none, so that nothing is tested by
// a README that has lost them.

export interface ShellBlock {
  readonly heading: string
  readonly script: string
}

interface Passage {
  readonly heading: string
  readonly prose: string
  /** Of the block that follows; empty at the end. */
  readonly language: string
  readonly block: string
}

const FENCE = /^```(.*)\n/m
const HEADING = /^#+ (.+)$/gm

/** Prose and blocks by turns. */
const passagesOf = (markdown: string): readonly Passage[] => {
  const parts = markdown.split(FENCE)
  const passages: Passage[] = []
  let heading = ''
  for (let index = 0; index < parts.length; index += 4) {
    const [prose = '', language = '', block = ''] = parts.slice(index, index + 3)
    heading = [...prose.matchAll(HEADING)].at(-1)?.[1] ?? heading
    passages.push({ heading, prose, language, block })
  }
  return passages
}

/** The blocks marked `sh`, in order. */
export const shellBlocks = (markdown: string): readonly ShellBlock[] => {
  const blocks = passagesOf(markdown).filter(({ language }) => language === 'sh')
  if (blocks.length === 0) throw new Error('the README has no shell block')
  return blocks.map(({ heading, block }) => ({ heading, script: block }))
}

/** The blocks marked `yaml` under a heading, in order. */
export const yamlBlocks = (markdown: string, heading: string): readonly string[] => {
  const blocks = passagesOf(markdown).filter(
    (passage) => passage.language === 'yaml' && passage.heading === heading,
  )
  if (blocks.length === 0) throw new Error(`the README has no yaml under ${heading}`)
  return blocks.map(({ block }) => block)
}

export interface CommandRow {
  readonly command: string
  readonly about: string
}

/** The rows of the table under `| command | |`. */
export const commandRows = (markdown: string): readonly CommandRow[] => {
  const [, table] = markdown.split('\n| command | |\n')
  const [rows = ''] = table?.split('\n\n') ?? []
  const found = rows.split('\n').flatMap((row) => {
    const [, command, about] = /^\| `([^`]+)` \| (.+) \|$/.exec(row) ?? []
    return command === undefined || about === undefined ? [] : [{ command, about }]
  })
  if (found.length === 0) throw new Error('the README has no table of commands')
  return found
}

/** The commands within sentences and tables, by the program that they begin with. */
export const spokenCommands = (markdown: string, program: RegExp): readonly string[] => {
  const prose = passagesOf(markdown).map((passage) => passage.prose)
  const spans = prose.join('\n').matchAll(/`([^`\n]+)`/g)
  const found = [...spans].flatMap(([, span = '']) => (program.test(span) ? [span] : []))
  if (found.length === 0) throw new Error(`the README speaks of no ${program.source}`)
  return found
}
