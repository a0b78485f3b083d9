// Completion for bash: subcommands, their flags, the words of values that have few. Pure.

import type { CompletedCommand } from './command.ts'

const words = (list: readonly string[]): string =>
  `COMPREPLY=($(compgen -W "${list.join(' ')}" -- "$word"))`

const valueCases = ({ name, flags }: CompletedCommand): readonly string[] =>
  Object.entries(flags).flatMap(([flag, { value, short, words: few }]) => {
    if (value === undefined) return []
    const spellings = [`--${flag}`, ...(short === undefined ? [] : [`-${short}`])]
    const pattern = spellings.map((spelling) => `"${name} ${spelling}"`).join(' | ')
    // Nothing of ours: then bash offers files.
    return [`    ${pattern}) ${few ? `${words(few)}; ` : ''}return ;;`]
  })

const flagCase = ({ name, flags }: CompletedCommand): string =>
  `    ${name}) ${words([...Object.keys(flags).map((flag) => `--${flag}`), '--help'])} ;;`

export const bashScript = (commands: readonly CompletedCommand[]): string => `\
# Completion of outrigger for bash: source <(outrigger completion bash)
_outrigger() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" index
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    ${words([...commands.map(({ name }) => name), 'help', '--version'])}
    return
  fi
  for ((index = 2; index < COMP_CWORD; index++)); do
    [ "\${COMP_WORDS[index]}" = -- ] && return
  done
  case "$command $before" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$command" in
${commands.map(flagCase).join('\n')}
  esac
}
complete -o default -F _outrigger outrigger
`
