// Completion for zsh: subcommands, their flags with what they do, the words of values that have few. Pure.

import type { CompletedCommand } from './command.ts'

/** Inside single quotes, and inside `_arguments`' own brackets and colons. */
const quoted = (text: string): string =>
  text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, (character) => `\\${character}`)

const flagSpec = ([name, flag]: CompletedCommand['rows'][number]): string => {
  const { value, about, words } = flag
  const action = words ? `(${words.join(' ')})` : value === 'FILE' ? '_files' : ' '
  const takes = value === undefined ? '' : `:${value}:${action}`
  return `      '*--${name}[${quoted(about)}]${takes}'`
}

const commandCase = ({ name, rows }: CompletedCommand): string => `\
    ${name}) _arguments \\
${[...rows.map(flagSpec), "      '--help[what it does]'", "      '*:: :_normal'"].join(' \\\n')} ;;`

export const zshScript = (commands: readonly CompletedCommand[]): string => `\
#compdef outrigger
# Completion of outrigger for zsh: source <(outrigger completion zsh), or as a file _outrigger in $fpath
_outrigger() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    '${quoted(name)}:${quoted(summary)}'`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case \${words[1]} in
${commands.map(commandCase).join('\n')}
  esac
}
if [ "$funcstack[1]" = _outrigger ]; then _outrigger "$@"; else compdef _outrigger outrigger; fi
`
