// The server's command line: where it is found, and the shim in front of it. The container's own
// command comes first, then the annotation, then the image index; no registry is ever asked. What
// comes from the index is escaped, since the kubelet expands $(VAR). Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { maxProcesses } from '../../shared/max-processes.ts'
import { RUN_DIR, SHIM_PATH } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Settings } from '../../shared/settings.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import { stringAt, stringsAt, type Json, type JsonObject } from '../../shared/json.ts'
import { agreed, knownImage, type KnownImage } from './image.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { serverGraceSeconds } from './grace.ts'
import { LOOKED_UP } from './made-again.ts'
import { nameOf } from './pod.ts'
import { memoryLimitBytes } from './resources.ts'
import { isStopGap } from './shell.ts'
import { fileFlags, type Written } from './writable.ts'

/** Text that the kubelet's expansion of `$(VAR)` leaves as it was. */
export const escapeExpansion = (text: string): string => text.replaceAll('$', '$$$$')

/** The text as the kubelet makes it again. */
export const unescapeExpansion = (text: string): string => text.replaceAll('$$', '$')

export interface Line {
  /** Undefined where the container has none; empty where it has only our shim. */
  readonly command: readonly string[] | undefined
  readonly args: readonly string[] | undefined
  /** How a shim that stood in the line already ran the server; undefined where there was none. */
  readonly hadShim: ShimCommand | undefined
}

type Words = readonly string[] | undefined

/** `serve` starts a stdio server for its callers; `exec` runs one that speaks HTTP, and holds it on loopback. */
const SHIM_COMMANDS = ['serve', 'exec'] as const
type ShimCommand = (typeof SHIM_COMMANDS)[number]

interface Stripped {
  readonly words: Words
  readonly hadShim: ShimCommand | undefined
}

/** The words without our shim and its flags, wherever in the line another wrapper has put them. */
const strip = (words: Words): Result<Stripped, string> => {
  if (words === undefined) return ok({ words, hadShim: undefined })
  const kept: (readonly string[])[] = []
  let hadShim: ShimCommand | undefined
  let from = 0
  for (;;) {
    const start = words.indexOf(SHIM_PATH, from)
    kept.push(words.slice(from, start === -1 ? words.length : start))
    if (start === -1) return ok({ words: kept.flat(), hadShim })
    const end = words.indexOf('--', start)
    hadShim = SHIM_COMMANDS.find((name) => name === words[start + 1])
    if (hadShim === undefined || end === -1) {
      return fail(`\`${SHIM_PATH}\` stands in its command in a form that Outrigger did not write`)
    }
    from = end + 1
  }
}

/** A container's `command` or `args` without the shim that injection has put into it. */
export const wordsWithoutShim = (command: Json | undefined): readonly string[] | undefined => {
  const stripped = strip(stringsAt({ command: command ?? null }, 'command'))
  return stripped.ok ? stripped.value.words : undefined
}

/** The container's command line as it was before any shim. */
export const readLine = (container: JsonObject): Result<Line, Violation> => {
  const [command, args] = [
    strip(stringsAt(container, 'command')),
    strip(stringsAt(container, 'args')),
  ]
  if (command.ok && args.ok) {
    const hadShim = command.value.hadShim ?? args.value.hadShim
    return ok({ command: command.value.words, args: args.value.words, hadShim })
  }
  const faults = [command, args].flatMap((part) => (part.ok ? [] : [part.error]))
  const message = `container ${nameOf(container)}: ${faults[0] ?? ''}; put the server's own command there`
  return fail(violation('reserved-path', message))
}

/** The whole line as it would run, where the spec says it all. */
export const wordsOf = ({
  command = [],
  args = [],
}: Pick<Line, 'command' | 'args'>): readonly string[] => [...command, ...args]

const commandOf = (known: KnownImage) =>
  agreed(known, ({ entrypoint, cmd }) => ({ entrypoint, cmd }))

const unknown = (image: string, isLookedUp: boolean): string => {
  const why = 'the pod spec does not say which command it runs'
  return isLookedUp
    ? `${why}: ${LOOKED_UP}. To have it at once write it as \`command\``
    : `${why}: have \`outrigger images add ${image}\` read it, or write it as \`command\``
}

const missing = (
  container: JsonObject,
  known: KnownImage | undefined,
  { isLookedUp = false }: Sources,
): Violation => {
  const image = stringAt(container, 'image') ?? 'IMAGE'
  const platforms = (known?.records ?? []).map(([platform]) => platform)
  const why =
    known && platforms.length > 1 && commandOf(known) === undefined
      ? `its image has another command on each of ${platforms.join(', ')}: choose one with the nodeSelector kubernetes.io/arch, or write it as \`command\``
      : unknown(image, isLookedUp && !known)
  const found = violation(
    'no-command',
    `container ${nameOf(container)}: ${why}, or as the annotation ${PREFIX}command: '["program","argument"]'; ` +
      `\`docker image inspect -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}}' ${image}\` shows what the image has`,
  )
  return known ? found : { ...found, image }
}

const onlySleeps = (container: JsonObject): Violation =>
  violation(
    'no-command',
    `container ${nameOf(container)}: its command only keeps the container alive. Outrigger starts the server itself when somebody calls: ` +
      `write the server's own command there, or as the annotation ${PREFIX}command: '["program","argument"]'`,
  )

export interface Sources {
  readonly pod: JsonObject
  readonly images: ImageIndex
  readonly settings: Settings
  /** The controller will find out what the index lacks. */
  readonly isLookedUp?: boolean
}

const fromImage = (
  known: KnownImage | undefined,
  hasArgs: boolean,
): readonly string[] | undefined => {
  const found = known && commandOf(known)
  if (!found) return undefined
  const words = [...found.entrypoint, ...(hasArgs ? [] : found.cmd)].map(escapeExpansion)
  return words.length > 0 || hasArgs ? words : undefined
}

export interface ServerLine {
  /** The words that follow the shim in `command`. */
  readonly command: readonly string[]
  readonly args: readonly string[] | undefined
}

/** The server's own command line, which the shim runs; the container's `args` stay where they are where they are the server's. */
export const findCommand = (
  container: JsonObject,
  line: Line,
  sources: Sources,
): Result<ServerLine, Violation> => {
  if (isStopGap(wordsOf(line))) {
    const { command } = sources.settings
    return command ? ok({ command, args: undefined }) : fail(onlySleeps(container))
  }
  const command = findWords(container, line, sources)
  return command.ok ? ok({ command: command.value, args: line.args }) : command
}

const findWords = (
  container: JsonObject,
  line: Line,
  sources: Sources,
): Result<readonly string[], Violation> => {
  const hasArgs = (line.args ?? []).length > 0
  const own = line.command ?? []
  // Only our shim in `command` and the whole line in `args`: an image without ENTRYPOINT, seen again.
  if (own.length > 0 || (line.command && line.hadShim !== undefined && hasArgs)) return ok(own)
  const known = knownImage(container, sources.pod, sources.images)
  const words = sources.settings.command ?? fromImage(known, hasArgs)
  return words ? ok(words) : fail(missing(container, known, sources))
}

/** All words that a container runs, as far as its spec and the image index tell; to be read, not to be written. */
export const knownWords = (
  container: JsonObject,
  pod: JsonObject,
  images: ImageIndex,
): readonly string[] => {
  const line = readLine(container)
  if (!line.ok) return []
  const words = wordsOf(line.value)
  if ((line.value.command ?? []).length > 0) return words
  return [...(fromImage(knownImage(container, pod, images), words.length > 0) ?? []), ...words]
}

/** What the shim's flags follow from. */
export type Shimmed = Omit<Written, 'needsTmp'>

/** Words that the kubelet leaves as they are. */
const filesOf = (shimmed: Shimmed, needsTmp: boolean): readonly string[] =>
  fileFlags({ ...shimmed, needsTmp }).map(escapeExpansion)

/** The shim and its flags before a server that speaks HTTP, up to and with the `--` before the server's own command. */
export const holdPrefix = (shimmed: Shimmed): readonly string[] => {
  const { pod, settings } = shimmed
  const grace = String(serverGraceSeconds(pod))
  const flags = ['--egress', settings['egress-mode'], ...filesOf(shimmed, true)]
  return [SHIM_PATH, 'exec', '--loopback', ...flags, '--run', RUN_DIR, '--grace', grace, '--']
}

/** The same before a stdio server. */
export const shimPrefix = (shimmed: Shimmed): readonly string[] => {
  const { pod, server, settings } = shimmed
  return [
    SHIM_PATH,
    'serve',
    '--run',
    RUN_DIR,
    '--grace',
    String(serverGraceSeconds(pod)),
    '--max-processes',
    String(maxProcesses(settings['max-processes'], memoryLimitBytes(server))),
    ...filesOf(shimmed, false),
    '--',
  ]
}
