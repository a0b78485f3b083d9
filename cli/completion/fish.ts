// Completion for fish: subcommands, their flags with what they do, the words of values that have few. Pure.

import type { CompletedCommand } from './command.ts'

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const flagLine = (command: string, [name, flag]: CompletedCommand['rows'][number]): string => {
  const { value, short, about, words } = flag
  const takes = words
    ? ` -x -a ${quoted(words.join(' '))}`
    : value === undefined
      ? ''
      : value === 'FILE'
        ? ' -r -F'
        : ' -x'
  const letter = short === undefined ? '' : ` -s ${short}`
  return `complete -c outrigger -n '__fish_seen_subcommand_from ${command}' -l ${name}${letter}${takes} -d ${quoted(about)}`
}

export const fishScript = (commands: readonly CompletedCommand[]): string =>
  [
    '# Completion of outrigger for fish: outrigger completion fish | source',
    'complete -c outrigger -f -n __fish_use_subcommand',
    ...commands.map(
      ({ name, summary }) =>
        `complete -c outrigger -f -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands.flatMap(({ name, rows }) => rows.map((row) => flagLine(name, row))),
    '',
  ].join('\n')
