// Which package managers a command line runs so that they install something, and where each keeps
// what it fetches. Scripts are read word by word: what is taken for an installation and is none only
// gets caches that nobody uses. Pure.

import { basename } from 'node:path/posix'
import { findBridge } from './bridge.ts'
import { scriptOf } from './shell.ts'

/** Variables, and the place of each below a directory that can be written. */
export type Places = Readonly<Record<string, string>>

/** One package manager, or a program of its. */
export interface Installer {
  readonly name: string
  /** Besides HOME and XDG_CACHE_HOME. */
  readonly places: Places
  /** Whether programs that it installs lie in HOME, where no PATH looks. */
  readonly isForLater: boolean
}

interface Row {
  readonly programs: RegExp
  readonly places: Places
  /** Words of which one makes it install; without any it always does. */
  readonly verbs?: RegExp
  /** Words, a space around each, with which it installs programs to be called by their names. */
  readonly forLater?: RegExp
}

const NPM_VERBS = /^(?:i|install|in|ins|ci|clean-install|add|exec|x|create|init|update|up)$/
const PIP = { PIP_CACHE_DIR: '/.cache/pip' }

const ROWS: readonly Row[] = [
  { programs: /^npx$/, places: { npm_config_cache: '/.npm' } },
  {
    programs: /^npm$/,
    verbs: NPM_VERBS,
    // Its own prefix is the image's, where nothing can be written.
    places: { npm_config_cache: '/.npm', npm_config_prefix: '/.local' },
    forLater: / (?:-g|--global|--location=global) /,
  },
  {
    programs: /^(?:pnpm|pnpx|pnx)$/,
    // Before version 11, and since.
    places: {
      npm_config_store_dir: '/.local/share/pnpm/store',
      pnpm_config_store_dir: '/.local/share/pnpm/store',
    },
  },
  {
    programs: /^(?:yarn|yarnpkg)$/,
    places: { YARN_CACHE_FOLDER: '/.cache/yarn', YARN_GLOBAL_FOLDER: '/.yarn/berry' },
  },
  { programs: /^bunx$/, places: { BUN_INSTALL_CACHE_DIR: '/.bun/install/cache' } },
  {
    programs: /^bun$/,
    verbs: /^(?:i|install|ci|a|add|x|create|c|update)$/,
    places: { BUN_INSTALL_CACHE_DIR: '/.bun/install/cache' },
  },
  {
    programs: /^(?:uv|uvx)$/,
    places: { UV_CACHE_DIR: '/.cache/uv' },
    forLater: / tool install /,
  },
  {
    programs: /^pip(?:\d(?:\.\d+)?)?$/,
    verbs: /^(?:install|download|wheel)$/,
    places: PIP,
    forLater: /^(?!.* (?:-t|--target|--prefix|-r|--requirement)[ =]).* install /,
  },
  {
    programs: /^pipx$/,
    verbs: /^(?:install|run|inject|upgrade)$/,
    places: { ...PIP, PIPX_HOME: '/.local/share/pipx', PIPX_BIN_DIR: '/.local/bin' },
    forLater: / install /,
  },
  { programs: /^dx$/, places: { DENO_DIR: '/.cache/deno' } },
  {
    // What an image has cached itself serves as it is; only what is named by an address is fetched.
    programs: /^deno$/,
    verbs: /^(?:install|i|add|cache|x|(?:npm|jsr|https?):.*)$/,
    places: { DENO_DIR: '/.cache/deno' },
  },
]

/** Words before a program that leave it what it is: a shell's, and programs that run another. */
const BEFORE =
  /^(?:!|if|then|elif|else|do|while|until|exec|command|env|time|nohup|nice|sudo|tini|dumb-init|catatonit|docker-entrypoint\.sh|--|-[a-zA-Z]+|\w+=.*)$/
const PYTHON = /^python(?:\d(?:\.\d+)?)?$/

/** `python -m pip` as `pip`. */
const withoutPython = (words: readonly string[]): readonly string[] => {
  const module = PYTHON.test(basename(words[0] ?? '')) ? words.indexOf('-m') : -1
  return module === -1 ? words : words.slice(module + 1)
}

const installerIn = (line: readonly string[]): readonly Installer[] => {
  const start = line.findIndex((word) => !BEFORE.test(basename(word)))
  const [program = '', ...words] = withoutPython(start === -1 ? [] : line.slice(start))
  const name = basename(program)
  const row = ROWS.find(({ programs }) => programs.test(name))
  if (!row || (row.verbs && !words.some((word) => row.verbs?.test(word)))) return []
  const isForLater = row.forLater?.test(` ${words.join(' ')} `) === true
  return [{ name, places: placesOf(row, isForLater), isForLater }]
}

/** A prefix of npm's own only for what is installed there: else it hides what the image has. */
const placesOf = ({ places }: Row, isForLater: boolean): Places =>
  Object.fromEntries(
    Object.entries(places).filter(([name]) => isForLater || name !== 'npm_config_prefix'),
  )

/** The commands of a script, quotes aside. */
const commandsOf = (script: string): readonly (readonly string[])[] =>
  script
    .replaceAll(/\\\n/g, ' ')
    .split(/[;&|\n(){}`]/)
    .map((command) => command.split(/\s+/).flatMap((word) => word.replaceAll(/["']/g, '') || []))

/** What a command line runs that installs something at start. */
export const installersIn = (words: readonly string[]): readonly Installer[] => {
  const script = scriptOf(words)
  const behindBridge = findBridge(words, [], '')?.command
  const lines = script === undefined ? [words] : commandsOf(script)
  return [...lines, ...(behindBridge ? [behindBridge] : [])].flatMap(installerIn)
}

/** Every variable that installers are told a place by. */
export const PLACE_VARIABLES: readonly string[] = [
  'HOME',
  'XDG_CACHE_HOME',
  ...new Set(ROWS.flatMap(({ places }) => Object.keys(places))),
]
