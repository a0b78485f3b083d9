// Command lines, as far as they can be read without running them. A script that does anything but
// start one program with plain words is not taken apart. Pure.

import { basename } from 'node:path/posix'

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'busybox'])

// Longer scripts are somebody's program; reading them proves nothing.
const MAX_SCRIPT_LENGTH = 65_536

const isShell = (word: string | undefined): boolean => SHELLS.has(basename(word ?? ''))

/** What follows `-c`; behind the first word that is no option, options are those of a script file. */
const behindFlag = (words: readonly string[]): string | undefined => {
  for (let index = 0; ; index += 1) {
    const word = words[index] ?? ''
    if (/^-[a-z]*c$/.test(word)) return words[index + 1]
    if (!/^[-+]/.test(word)) return undefined
    // `-o pipefail`
    if (/^[-+][a-zA-Z]*[oO]$/.test(word)) index += 1
  }
}

/** The script of `sh -c SCRIPT`, whatever stands before `c` (`-ec`, `-euo pipefail -c`). */
export const scriptOf = (words: readonly string[]): string | undefined => {
  const [program, applet] = words
  if (!isShell(program)) return undefined
  const isApplet = basename(program ?? '') === 'busybox' && isShell(applet)
  const script = behindFlag(words.slice(isApplet ? 2 : 1))
  return script !== undefined && script.length <= MAX_SCRIPT_LENGTH ? script : undefined
}

// A word: characters that mean nothing to a shell, and quoted parts without anything it would expand.
const WORD = /(?:[^\s'"$`\\|&;<>()*?[\]{}~#!]|'[^']*'|"[^"$`\\!]*")+(?:[ \t\n]+$|[ \t]+|$)/y
const QUOTED = /'([^']*)'|"([^"]*)"/g

// First words that are the shell's own and mostly no program: nothing else could run them.
const OWN_WORDS: ReadonlySet<string> = new Set(
  `. : alias bg bind break builtin caller case cd command compgen complete continue coproc declare
  dirs disown do done elif else enable esac eval exec exit export fc fg fi for function getopts hash
  help history if jobs let local logout mapfile popd pushd read readarray readonly return select set
  shift shopt source suspend then time times trap type typeset ulimit umask unalias unset until wait
  while`.split(/\s+/),
)

/** Whether a line that begins with the word starts a program of that name. */
const isProgram = (word: string): boolean =>
  word !== '' && !OWN_WORDS.has(word) && !/^\w+\+?=/.test(word)

/**
 * The words of a command line that no shell would change but by taking it apart, without an `exec`
 * in front; else undefined.
 */
export const plainWords = (line: string): readonly string[] | undefined => {
  const words = wordsIn(line)
  const isExec = words?.[0] === 'exec' && words[1]?.startsWith('-') === false
  const command = isExec ? words.slice(1) : words
  const [program] = command ?? []
  return program === undefined || isProgram(program) ? command : undefined
}

const wordsIn = (line: string): readonly string[] | undefined => {
  const words: string[] = []
  let end = /^[ \t\n]*/.exec(line)?.[0].length ?? 0
  while (end < line.length) {
    WORD.lastIndex = end
    const word = WORD.exec(line)?.[0]
    if (word === undefined) return undefined
    words.push(word.trimEnd().replaceAll(QUOTED, '$1$2'))
    end += word.length
  }
  return words
}

const LOOP =
  /\b(?:while|until)\s+(?:true|:|false|\[\s*1\s*\])\s*[;\n]\s*do\b[^]{0,200}?\bsleep\s+\S+\s*[;\n]?\s*done\s*[;&]?\s*(?:wait\s*)?$/
const LAST_COMMAND =
  /(?:^|[;&\n]|\bexec\b)\s*(?:exec\s+)?(?:sleep\s+(?:infinity|inf|\d+[smhd]?)|tail\s+-[fF]\s+\/dev\/null)\s*[;&]?\s*(?:wait\s*)?$/
const HELD_OPEN = /\bmkfifo\b|\btail\s+-[fF]\s+\/dev\/null\s*\|/

/** The script without comments, blank lines and doubled space, over which the patterns would crawl. */
const condensed = (script: string): string =>
  script
    .split('\n')
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n')

const keepsAlive = (script: string): boolean => {
  const text = condensed(script)
  return LOOP.test(text) || LAST_COMMAND.test(text) || HELD_OPEN.test(text)
}

/** Whether a command line runs no server but keeps its container alive: the stop-gap for stdio. */
export const isStopGap = (words: readonly string[]): boolean => {
  const script = scriptOf(words)
  if (script !== undefined) return keepsAlive(script)
  const program = basename(words[0] ?? '')
  if (program === 'sleep') return true
  return program === 'tail' && words.some((word) => /^-[fF]/.test(word))
}
