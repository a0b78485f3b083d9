// `outrigger policy test`, `who-can` and `lint`: a tool policy on its author's desk, decided as the sidecar would.

import { readArguments } from '../../shared/policy/arguments.ts'
import type { Caller } from '../../shared/policy/caller.ts'
import { letsThrough } from '../../shared/policy/decide.ts'
import { DECIDED_BY, readPolicy, type ReadPolicy } from '../../shared/policy/policy.ts'
import type { Target } from '../../shared/policy/rules.ts'
import type { Kind } from '../../shared/policy/schema.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { scan } from '../../sidecar/json/scan.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { oneFile } from '../command/file-flag.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { readText } from '../command/read-text.ts'
import { readCaller } from './claims.ts'
import { lintPolicy } from './lint.ts'
import { readToolNames } from './tools-file.ts'
import { whoCan } from './who-can.ts'
import { decisionWords } from './words.ts'

const VERBS = ['test', 'who-can', 'lint'] as const
type Verb = (typeof VERBS)[number]

/** What is called, and the method that does. */
const KIND_WORDS: ReadonlyMap<string, readonly [kind: Kind, method: string]> = new Map([
  ['tool', ['tools', 'tools/call']],
  ['prompt', ['prompts', 'prompts/get']],
  ['resource', ['resources', 'resources/read']],
  ['method', ['methods', '']],
])

const FLAGS = {
  file: { short: 'f', value: 'POLICY', doc: 'the policy, YAML or JSON; - reads standard input' },
  as: {
    value: 'CLAIMS',
    doc: 'test: who calls, the claims of a token as JSON (iss, sub, client_id, groups, scope); without it nobody knows',
  },
  call: { value: 'NAME', doc: 'test: what is called' },
  args: { value: 'JSON', doc: 'test: the arguments', default: '{}' },
  kind: {
    value: 'KIND',
    doc: 'what NAME is the name of; of a resource it is the URI',
    default: 'tool',
    words: [...KIND_WORDS.keys()],
  },
  tools: {
    value: 'FILE',
    doc: "lint: the server's tools, the result of tools/list as JSON or a list of names",
  },
} as const satisfies FlagTable

interface Flags {
  readonly verb: Verb
  readonly file: string
  readonly caller: Caller | undefined
  readonly target: Target
  readonly method: string
  readonly args: string
  readonly tools: string | undefined
}

const readVerb = (words: readonly string[]): Result<readonly [Verb, string], string> => {
  const [first, name = '', ...more] = words
  const verb = VERBS.find((one) => one === first)
  if (verb === undefined) return fail(`say what to do: ${VERBS.join(', ')}`)
  const isNamed = name !== ''
  if (more.length > 0 || (isNamed && verb !== 'who-can')) {
    return fail(`${JSON.stringify(more[0] ?? name)} stands without a flag`)
  }
  return verb === 'who-can' && !isNamed
    ? fail('say what for: policy who-can NAME -f POLICY')
    : ok([verb, name])
}

const readCallerFlag = (text: string | undefined): Result<Caller | undefined, string> => {
  const caller = text === undefined ? ok(undefined) : readCaller(text)
  return caller.ok ? caller : fail(`--as: it ${caller.error}`)
}

/** What is called by a name of a kind. */
const readCalled = (
  word: string,
  name: string,
): Result<Pick<Flags, 'target' | 'method'>, string> => {
  const known = KIND_WORDS.get(word)
  if (!known) return fail(`--kind must be one of ${[...KIND_WORDS.keys()].join(', ')}`)
  const [kind, method] = known
  const by = kind === 'methods' ? DECIDED_BY.get(name) : undefined
  return by === undefined
    ? ok({ target: { kind, name }, method: method || name })
    : fail(`${name} is decided by ${by}: name one of these, with --kind`)
}

const readFlags = ({ words, text, texts }: Given): Result<Flags, string> => {
  const verb = readVerb(words)
  if (!verb.ok) return verb
  const file = oneFile(texts('file'), 'say which policy: -f POLICY')
  if (!file.ok) return file
  const caller = readCallerFlag(text('as'))
  if (!caller.ok) return caller
  const [does, named] = verb.value
  const name = does === 'test' ? text('call') : named
  if (name === undefined) return fail('say what is called: --call NAME')
  const called = readCalled(text('kind') ?? '', name)
  if (!called.ok) return called
  return ok({
    verb: does,
    file: file.value,
    caller: caller.value,
    ...called.value,
    args: text('args') ?? '{}',
    tools: text('tools'),
  })
}

/** The arguments as the sidecar takes them: what two readers could understand differently never gets to a policy. */
const argumentsIn = (json: string): ReturnType<typeof readArguments> => {
  const scanned = scan(Buffer.from(json).toString('latin1'), false)
  return scanned.ok ? readArguments(json) : fail(scanned.error.reason)
}

const testCall = (read: ReadPolicy, { caller, target, method, args }: Flags, io: Io): number => {
  const given = argumentsIn(args)
  if (!given.ok) {
    tell(io, 'policy', `--args: ${given.error}`)
    return 2
  }
  const decision = read.policy.decide({ caller, method, target, argumentsOf: () => given })
  io.stdout(decisionWords(decision))
  return letsThrough(decision) ? 0 : 1
}

const lint = async (read: ReadPolicy, { file, tools }: Flags, io: Io): Promise<number> => {
  const text = tools === undefined ? ok(undefined) : await readText(tools)
  const names = text.ok && text.value !== undefined ? readToolNames(text.value) : text
  if (!names.ok) {
    tell(io, 'policy', text.ok ? `${tools}: ${names.error}` : names.error)
    return 1
  }
  const findings = lintPolicy(read, names.value === undefined ? undefined : [...names.value])
  for (const finding of findings) io.stdout(`${file}: ${placedWords(finding)}\n`)
  const { rules, roles } = read.document
  const counted = `${rules.length} rules, ${Object.keys(roles).length} roles`
  if (findings.length === 0) io.stdout(`${file}: ${counted}, nothing amiss\n`)
  return findings.length === 0 ? 0 : 1
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const text = await readText(flags.file)
  if (!text.ok) {
    tell(io, 'policy', text.error)
    return 1
  }
  const read = readPolicy(text.value)
  if (!read.ok) {
    for (const fault of read.error) tell(io, 'policy', `${flags.file}: ${placedWords(fault)}`)
    return 1
  }
  if (flags.verb === 'test') return testCall(read.value, flags, io)
  if (flags.verb === 'lint') return lint(read.value, flags, io)
  io.stdout(whoCan(read.value, flags.target))
  return 0
}

export const policy = defineCommand({
  name: 'policy',
  synopsis: 'test|who-can NAME|lint -f POLICY [flags]',
  about: `Tries a tool policy without a server. test: whether a call is allowed, and by which rule (exit code 1: denied).
who-can: the rules about a tool. lint: rules that never decide, conditions that always fail, patterns that match
nothing of the server's tools. What is wrong with the policy itself is told by all three, with line and column.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run,
})
