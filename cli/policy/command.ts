// `outrigger policy test`, `who-can` and `lint`: a tool policy on its author's desk, decided as the sidecar would.

import { readArguments } from '../../shared/policy/arguments.ts'
import type { Caller } from '../../shared/policy/caller.ts'
import { letsThrough } from '../../shared/policy/decide.ts'
import { Narrowed } from '../../shared/policy/narrowed.ts'
import {
  DECIDED_BY,
  readPolicy,
  type CheckedPolicy,
  type ReadPolicy,
} from '../../shared/policy/policy.ts'
import type { Target } from '../../shared/policy/rules.ts'
import type { Kind } from '../../shared/policy/schema.ts'
import { POLICY_KEY } from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { scan } from '../../sidecar/json/scan.ts'
import { defineCommand, tell, type Io } from '../command/command.ts'
import { oneFile } from '../command/file-flag.ts'
import { stray, type FlagTable, type Given } from '../command/flags.ts'
import { inConfigMap } from '../command/in-config-map.ts'
import { readText } from '../command/read-text.ts'
import { strayFlags, verbIn, type VerbFlags } from '../command/verb.ts'
import { plural } from '../output/plural.ts'
import { readBase } from './base.ts'
import { readCaller } from './claims.ts'
import { lintWithin } from './lint-base.ts'
import { lintPolicy } from './lint.ts'
import { readToolNames } from './tools-file.ts'
import { whoCan, whoCanWithin } from './who-can.ts'
import { decisionWords, verdictWords } from './words.ts'

const VERBS = ['test', 'who-can', 'lint'] as const
type Verb = (typeof VERBS)[number]
const VERB_FLAGS: VerbFlags<Verb> = {
  test: ['as', 'call', 'args', 'kind'],
  'who-can': ['kind'],
  lint: ['tools'],
}

/** What is called, and the method that does. */
const KIND_WORDS: ReadonlyMap<string, readonly [kind: Kind, method: string]> = new Map([
  ['tool', ['tools', 'tools/call']],
  ['prompt', ['prompts', 'prompts/get']],
  ['resource', ['resources', 'resources/read']],
  ['method', ['methods', '']],
])

const FLAGS = {
  file: {
    short: 'f',
    value: 'POLICY',
    doc: 'the policy, or the ConfigMap with it, YAML or JSON; - reads standard input',
  },
  base: {
    value: 'FILE',
    doc: 'the base policy that it can only narrow, or the cluster configuration that holds it',
  },
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
  readonly base: string | undefined
  readonly caller: Caller | undefined
  readonly target: Target
  readonly method: string
  readonly args: string
  readonly tools: string | undefined
}

const readVerb = (words: readonly string[]): Result<readonly [Verb, string], string> => {
  const [first, name = '', ...more] = words
  const read = verbIn(first, VERBS)
  if (!read.ok) return read
  const verb = read.value
  const isNamed = name !== ''
  if (more.length > 0 || (isNamed && verb !== 'who-can')) {
    return fail(stray(FLAGS, more[0] ?? name))
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

const readFiles = (
  base: string | undefined,
  files: readonly string[],
): Result<Pick<Flags, 'file' | 'base'>, string> => {
  const file = oneFile(files, 'say which policy: -f POLICY')
  if (!file.ok) return file
  return base === '-'
    ? fail('--base: name a file; standard input is for -f')
    : ok({ file: file.value, base })
}

const readFlags = (given: Given): Result<Flags, string> => {
  const { words, text, texts } = given
  const verb = readVerb(words)
  if (!verb.ok) return verb
  const strange = strayFlags('policy', verb.value[0], VERB_FLAGS, given)
  if (strange !== undefined) return fail(strange)
  const files = readFiles(text('base'), texts('file'))
  if (!files.ok) return files
  const caller = readCallerFlag(text('as'))
  if (!caller.ok) return caller
  const [does, named] = verb.value
  const name = does === 'test' ? text('call') : named
  if (name === undefined) return fail('say what is called: --call NAME')
  const called = readCalled(text('kind') ?? '', name)
  if (!called.ok) return called
  return ok({
    verb: does,
    ...files.value,
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

interface Policies {
  readonly own: ReadPolicy
  readonly base: CheckedPolicy | undefined
}

const testCall = (
  { own, base }: Policies,
  { caller, target, method, args }: Flags,
  io: Io,
): number => {
  const given = argumentsIn(args)
  if (!given.ok) {
    tell(io, 'policy', `--args: ${given.error}`)
    return 2
  }
  const decider = base ? new Narrowed(base.policy, own.policy) : own.policy
  const question = { caller, method, target, argumentsOf: () => given }
  const decision = decider.decide(question)
  io.stdout(decisionWords(decision))
  if (base) {
    io.stdout(`the base policy: ${verdictWords(base.policy.decide(question))}\n`)
    io.stdout(`the policy: ${verdictWords(own.policy.decide(question))}\n`)
  }
  return letsThrough(decision) ? 0 : 1
}

/** Of the server's tools, where a file has them. */
const readTools = async (
  file: string | undefined,
): Promise<Result<readonly string[] | undefined, string>> => {
  if (file === undefined) return ok(undefined)
  const text = await readText(file)
  if (!text.ok) return text
  const names = readToolNames(text.value)
  return names.ok ? names : fail(`${file}: ${names.error}`)
}

const lint = async ({ own, base }: Policies, { file, tools }: Flags, io: Io): Promise<number> => {
  const names = await readTools(tools)
  if (!names.ok) {
    tell(io, 'policy', names.error)
    return 1
  }
  const findings = [
    ...lintPolicy(own, names.value),
    ...(base ? lintWithin(own, base.document) : []),
  ]
  for (const finding of findings) io.stdout(`${file}: ${placedWords(finding)}\n`)
  const { rules, roles } = own.document
  const counted = `${plural(rules.length, 'rule')}, ${plural(Object.keys(roles).length, 'role')}`
  if (findings.length === 0) io.stdout(`${file}: ${counted}, nothing amiss\n`)
  return findings.length === 0 ? 0 : 1
}

/** The text of a file, and what it says; what is wrong is told. */
const readFile = async <T>(
  file: string,
  read: (text: string) => Result<T, readonly string[]>,
  io: Io,
): Promise<T | undefined> => {
  const text = await readText(file)
  if (!text.ok) {
    tell(io, 'policy', text.error)
    return undefined
  }
  const inner = inConfigMap(text.value, POLICY_KEY)
  const found = inner.ok ? read(inner.value.text) : fail([inner.error])
  if (found.ok) return found.value
  const where = inner.ok ? inner.value.where : ''
  for (const fault of found.error) tell(io, 'policy', `${file}: ${where}${fault}`)
  return undefined
}

const readOwn = (text: string): Result<ReadPolicy, readonly string[]> => {
  const read = readPolicy(text)
  return read.ok ? read : fail(read.error.map(placedWords))
}

const run = async (flags: Flags, io: Io): Promise<number> => {
  const own = await readFile(flags.file, readOwn, io)
  const base = flags.base === undefined ? undefined : await readFile(flags.base, readBase, io)
  if (own === undefined || (flags.base !== undefined && base === undefined)) return 1
  if (flags.verb === 'test') return testCall({ own, base }, flags, io)
  if (flags.verb === 'lint') return lint({ own, base }, flags, io)
  io.stdout(base ? whoCanWithin(base, own, flags.target) : whoCan(own, flags.target))
  return 0
}

export const policy = defineCommand({
  name: 'policy',
  synopsis: 'test|who-can NAME|lint -f POLICY [flags]',
  about: `Tries a tool policy without a server. test: whether a call is allowed, and by which rule (exit code 1: denied).
who-can: the rules about a tool. lint: rules that never decide, conditions that always fail, patterns that match
nothing of the server's tools. What is wrong with the policy itself is told by all three, with line and column.
With --base each counts what the base policy says, too: both have to allow a call.`,
  flags: FLAGS,
  takesWords: true,
  cleansUp: false,
  readFlags,
  run,
})
