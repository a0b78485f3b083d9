// Command lines, as far as they can be read without running them. A script that does anything but
// start one program with plain words is not taken apart. Pure.

import { basename } from 'node:path/posix'

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'ash', 'dash', 'zsh', 'busybox'])

// Longer scripts are somebody's program; reading them proves nothing.
const MAX_SCRIPT_LENGTH = 65_536

/** The script of `sh -c SCRIPT`, whatever stands before `c` (`-ec`, `-lc`). */
export const scriptOf = (words: readonly string[]): string | undefined => {
  if (!SHELLS.has(basename(words[0] ?? ''))) return undefined
  const flag = words.findIndex((word) => /^-[a-z]*c$/.test(word))
  const script = flag === -1 ? undefined : words[flag + 1]
  return script !== undefined && script.length <= MAX_SCRIPT_LENGTH ? script : undefined
}

// A word: characters that mean nothing to a shell, and quoted parts without anything it would expand.
const WORD = /(?:[^\s'"$`\\|&;<>()*?[\]{}~#!]|'[^']*'|"[^"$`\\!]*")+(?:[ \t]+|$)/y
const QUOTED = /'([^']*)'|"([^"]*)"/g

/** The words of a command line that no shell would change but by taking it apart; else undefined. */
export const plainWords = (line: string): readonly string[] | undefined => {
  const text = line.trim()
  const words: string[] = []
  let end = 0
  while (end < text.length) {
    WORD.lastIndex = end
    const word = WORD.exec(text)?.[0]
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
