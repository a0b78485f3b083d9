// `outrigger tools lock` and `verify`: what a server lists, written down as it was approved, and held against that later.

import { placedWords } from '../../shared/placed-fault.ts'
import { readLock, type Lock } from '../../shared/lock/lock.ts'
import { LOCKED_KINDS, type LockedKind } from '../../shared/lock/kinds.ts'
import { LOCK_MODES } from '../../shared/lock/schema.ts'
import { LOCK_KEY } from '../../shared/names.ts'
import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { parseValue } from '../../shared/settings.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { oneFile } from '../command/file-flag.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { inConfigMap } from '../command/in-config-map.ts'
import { readText } from '../command/read-text.ts'
import { strayFlags, verbIn, type VerbFlags } from '../command/verb.ts'
import { describeServer, type Described } from './described.ts'
import { changesSince, documentOf, lockText } from './lock-document.ts'
import { withServer, type Reach } from './reached-server.ts'

const VERBS = ['lock', 'verify'] as const
type Verb = (typeof VERBS)[number]
const VERB_FLAGS: VerbFlags<Verb> = { lock: ['kinds', 'mode'], verify: [] }

const FLAGS = {
  file: {
    short: 'f',
    value: 'LOCK',
    doc: 'verify: the lock, or the ConfigMap with it, YAML or JSON; - reads standard input',
  },
  url: {
    value: 'URL',
    doc: 'a server that runs, by the URL of its MCP endpoint, in the place of CMD',
  },
  'token-file': { value: 'FILE', doc: 'with --url: a file with the token that lets us in' },
  kinds: {
    value: 'LIST',
    doc: `lock: what is locked, of ${LOCKED_KINDS.join(', ')}; what is left out is not looked at. Instructions always are`,
    default: LOCKED_KINDS.join(','),
  },
  mode: {
    value: 'MODE',
    doc: 'lock: what becomes of what differs: it is hidden and refused (enforce), or only told (report)',
    default: 'enforce',
    words: LOCK_MODES,
  },
  'startup-timeout': {
    value: 'VALUE',
    doc: 'how long CMD may take until its first answer',
    default: '120s',
  },
} as const satisfies FlagTable

interface Flags {
  readonly verb: Verb
  readonly reach: Reach
  readonly file: string
  readonly kinds: readonly LockedKind[]
  readonly mode: (typeof LOCK_MODES)[number]
}

const readVerb = (words: readonly string[]): Result<Verb, string> => {
  const [first, second] = words
  const verb = verbIn(first, VERBS)
  return second === undefined || !verb.ok
    ? verb
    : fail(`${JSON.stringify(second)} stands without a flag; the server's command goes behind --`)
}

const readKinds = (text: string): Result<readonly LockedKind[], string> => {
  const words = text.split(',').map((word) => word.trim())
  const wrong = words.find((word) => !LOCKED_KINDS.some((kind) => kind === word))
  if (wrong === undefined) return ok(LOCKED_KINDS.filter((kind) => words.includes(kind)))
  const match = nearest(wrong, LOCKED_KINDS)
  return fail(
    `--kinds: there is no kind ${JSON.stringify(wrong)}${match === undefined ? `; there are ${LOCKED_KINDS.join(', ')}` : `; did you mean ${match}?`}`,
  )
}

/** What is wrong with how the server was named; undefined where it was. */
const misnamed = (url: string | undefined, hasCommand: boolean): string | undefined => {
  if (url === undefined)
    return hasCommand ? undefined : 'say which server: -- CMD ARGS, or --url URL'
  if (hasCommand) return 'name one server: -- CMD ARGS, or --url URL'
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '')
    ? undefined
    : `--url ${JSON.stringify(url)}: must be a URL such as https://host.example/mcp`
}

const readReach = ({ text, command = [] }: Given): Result<Reach, string> => {
  const [url, tokenFile] = [text('url'), text('token-file')]
  const startupTimeout = text('startup-timeout') ?? ''
  const wrong = misnamed(url, (command[0] ?? '') !== '')
  if (wrong !== undefined) return fail(wrong)
  if (tokenFile !== undefined && url === undefined) return fail('--token-file is for --url alone')
  const parsed = parseValue('startup-timeout', startupTimeout)
  return parsed.ok ? ok({ url, command, tokenFile, startupTimeout }) : fail(`--${parsed.error}`)
}

const readFile = (verb: Verb, files: readonly string[]): Result<string, string> => {
  if (verb === 'verify') return oneFile(files, 'say which lock: -f LOCK')
  return files.length === 0
    ? ok('')
    : fail('-f is for verify: lock prints the lock, to be kept by > FILE')
}

const readFlags = (given: Given): Result<Flags, string> => {
  const verb = readVerb(given.words)
  if (!verb.ok) return verb
  const stray = strayFlags('tools', verb.value, VERB_FLAGS, given)
  if (stray !== undefined) return fail(stray)
  const file = readFile(verb.value, given.texts('file'))
  if (!file.ok) return file
  const kinds = readKinds(given.text('kinds') ?? '')
  if (!kinds.ok) return kinds
  const mode = LOCK_MODES.find((one) => one === given.text('mode'))
  if (mode === undefined) return fail(`--mode must be one of ${LOCK_MODES.join(', ')}`)
  const reach = readReach(given)
  if (!reach.ok) return reach
  return ok({ verb: verb.value, reach: reach.value, file: file.value, kinds: kinds.value, mode })
}

const lock = (described: Described, { kinds, mode }: Flags, io: Io): number => {
  const document = documentOf(described, kinds, mode)
  if (!document.ok) {
    for (const fault of document.error) tell(io, 'tools', fault)
    return 1
  }
  const text = lockText(document.value)
  if (text.ok) io.stdout(text.value)
  else tell(io, 'tools', text.error)
  return text.ok ? 0 : 1
}

const verify = (described: Described, approved: Lock, io: Io): number => {
  const changes = changesSince(approved, described)
  for (const change of changes) io.stdout(`${change}\n`)
  if (changes.length === 0) io.stdout('all is as it was locked\n')
  return changes.length === 0 ? 0 : 1
}

/** The lock to verify by, read before any server is started for it. */
const readApproved = async ({
  verb,
  file,
}: Flags): Promise<Result<Lock | undefined, readonly string[]>> => {
  if (verb === 'lock') return ok(undefined)
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const inner = inConfigMap(text.value, LOCK_KEY)
  if (!inner.ok) return fail([`${file}: ${inner.error}`])
  const read = readLock(inner.value.text)
  const { where } = inner.value
  return read.ok ? read : fail(read.error.map((fault) => `${file}: ${where}${placedWords(fault)}`))
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const approved = await readApproved(flags)
  if (!approved.ok) {
    for (const fault of approved.error) tell(io, 'tools', fault)
    return 1
  }
  const described = await withServer(flags.reach, io, describeServer)
  if (!described.ok) {
    // Whoever ends it knows why.
    if (!io.signal.aborted) tell(io, 'tools', described.error)
    return 1
  }
  return approved.value
    ? verify(described.value, approved.value, io)
    : lock(described.value, flags, io)
}

export const tools = defineCommand({
  name: 'tools',
  synopsis: 'lock|verify -f LOCK [flags] -- CMD ARGS...',
  about: `Writes down what a server lists, so that no change goes unseen. lock: prints a lock, digests of what the server says
of its tools, prompts and resources, and of its instructions; a sidecar that has it hides and refuses what is new or
differs. verify: says by name what is not as the lock has it (exit code 1: something).`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: true,
  readFlags,
  run,
})
