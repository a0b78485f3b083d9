// Bridges that people put before a stdio server in its own container (supergateway, mcp-proxy,
// mcpgateway, mcpo): where the server's command can be read from their line it is run by Outrigger
// instead, one process a caller. Else the bridge is the HTTP server that it is. Pure.

import { basename } from 'node:path/posix'
import { plainWords, scriptOf } from './shell.ts'

export interface Bridge {
  readonly name: string
  /** The stdio server's own command; undefined where the line does not tell it plainly. */
  readonly command: readonly string[] | undefined
  /** Where the bridge's clients reach it, as far as its flags say. */
  readonly port: number | undefined
  readonly path: string | undefined
}

/** `--flag VALUE` or `--flag=VALUE`. */
const flagValue = (words: readonly string[], flag: string): string | undefined => {
  const index = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`))
  const word = words[index]
  if (word === undefined) return undefined
  return word === flag ? words[index + 1] : word.slice(flag.length + 1)
}

/** A bridge's line: what it is told itself, and its server's command. */
interface BridgeLine {
  readonly own: readonly string[]
  readonly command: readonly string[] | undefined
}

type ReadLine = (words: readonly string[]) => BridgeLine

// What gives the server an environment, a directory, a shell or company, or asks callers for a
// key: nobody would do that in the bridge's place.
const SHAPING =
  /^(?:-[cek]|--(?:api-?key|config|cwd|env|env-path|named-server|named-server-config|shell|strict-auth))(?:=|$)/i

const afterDashes: ReadLine = (words) => {
  const end = words.indexOf('--')
  const own = end === -1 ? words : words.slice(0, end)
  const command = end === -1 ? [] : words.slice(end + 1)
  const isPlain = command.length > 0 && !own.some((word) => SHAPING.test(word))
  return { own, command: isPlain ? command : undefined }
}

const byStdioFlag: ReadLine = (words) => {
  const line = flagValue(words, '--stdio')
  const isOnce = words.filter((word) => /^--stdio(?:=|$)/.test(word)).length === 1
  const command = isOnce && line !== undefined ? plainWords(line) : []
  return { own: words, command: command && command.length > 0 ? command : undefined }
}

/** Bridges by program or package name, and how each is told its server's command. */
const BRIDGES: ReadonlyMap<string, ReadLine> = new Map([
  ['supergateway', byStdioFlag],
  ['@michlyn/mcpgateway', byStdioFlag],
  ['mcpgateway', byStdioFlag],
  ['mcp-proxy', afterDashes],
  ['mcpo', afterDashes],
])

const isPath = (text: string | undefined): boolean => /^\/[!-~]{0,1023}$/.test(text ?? '')

/** What a bridge's own words say; `read` finds the server's command among them. */
const describe = (name: string, read: ReadLine, words: readonly string[]): Bridge => {
  const { own, command } = read(words)
  const port = Number(flagValue(own, '--port') ?? Number.NaN)
  const path = flagValue(own, '--streamableHttpPath') ?? flagValue(own, '--httpPath')
  return {
    name,
    command,
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    path: isPath(path) ? path : undefined,
  }
}

// Programs that run a package's program: `npx -y supergateway …`, `uvx mcpo …`.
const RUNNERS: ReadonlySet<string> = new Set(['npx', 'uvx', 'bunx', 'pnpx', 'pipx', 'uv', 'npm'])
/** Words between a runner and the package: flags, and its own subcommands. */
const isRunnerWord = (word: string): boolean =>
  word.startsWith('-') || /^(?:run|exec|tool|x)$/.test(word)

/** A runner's words without those that it takes for its own: npm does that with the first `--`, wherever it stands. */
const passedOn = (runner: string, words: readonly string[]): readonly string[] => {
  const dashes = runner === 'npm' ? words.indexOf('--') : -1
  return dashes === -1 ? words : words.toSpliced(dashes, 1)
}

/** A package's name without its version: `supergateway@3`, `@michlyn/mcpgateway@1.0`. */
const packageName = (word: string): string => word.replace(/(?<=.)@[^/@]*$/, '')

const bridgeIn = (line: readonly string[]): Bridge | undefined => {
  const runner = basename(line[0] ?? '')
  const words = passedOn(runner, line)
  const isRun = RUNNERS.has(runner)
  const start = isRun ? words.findIndex((word, index) => index > 0 && !isRunnerWord(word)) : 0
  const word = words[start] ?? ''
  const name = isRun ? packageName(word) : basename(word)
  const read = BRIDGES.get(name)
  return read && describe(name, read, words.slice(start + 1))
}

/** The repository of an image whose ENTRYPOINT is a bridge: `supercorp/supergateway`, `mcpo`. */
const bridgeOfImage = (image: string): string =>
  basename(image.replace(/@.*$/, '').replace(/:[^:/]*$/, ''))

/**
 * The bridge that a container runs; `image` counts where the spec names no command, since then the
 * image's ENTRYPOINT stands before the arguments.
 */
export const findBridge = (
  command: readonly string[] | undefined,
  args: readonly string[],
  image: string,
): Bridge | undefined => {
  if (command === undefined || command.length === 0) {
    const name = bridgeOfImage(image)
    const read = BRIDGES.get(name)
    return read && describe(name, read, args)
  }
  const words = [...command, ...args]
  const script = scriptOf(words)
  return bridgeIn(script === undefined ? words : (plainWords(script) ?? []))
}
