// Which era the server speaks, found out on throw-away processes before the first client comes, one after the other and as
// few as can be: one where the server answers what it is asked. `server/discover` comes first, and `initialize` follows it
// on the same process: whoever speaks both eras is asked for the one that a first message pins it to. A process that exits
// has said nothing about its era; any doubt means legacy, and a doubt is no verdict.

import * as z from 'zod/mini'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import { member, slice, valueAt, type Request, type Response } from '../mcp/message.ts'
import { modernMeta, ownInitialize, ownRequest } from '../mcp/own-request.ts'
import { MODERN } from '../mcp/revision.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { LinkSource, Tenant } from '../server/source.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { answerTo } from '../conversation/answer-to.ts'
import { Channel } from '../conversation/channel.ts'

/** What a server speaks. */
export interface Eras {
  readonly isModern: boolean
  /** The modern revisions that the server names itself. */
  readonly versions: readonly string[]
  /** False: it answers in the legacy era, and whether it speaks the modern one could not be found out. */
  readonly isCertain: boolean
  /** Of a modern server: it does not know the legacy era. Known where that makes a difference. */
  readonly refusesLegacy?: boolean
}

/** A server that knows its callers itself, and not us: it works. */
const REFUSED: ReadonlySet<FaultCode> = new Set(['server-unauthorized', 'server-forbidden'])

export interface ProbeOptions {
  readonly source: LinkSource
  readonly startupTimeoutMs: number
  readonly nextId: () => number
  readonly now: () => number
  readonly remarks: Remarks
  /** Of a modern server it is to be known, too, whether it speaks the legacy era. */
  readonly asksBoth?: boolean
}

/** Some servers ignore what comes before `initialize`: after this long they are sent it. */
const SILENCE_MS = 5000
/** Whoever answers out of order has so long for the first of two. */
const LATE_MS = 1000
/** The modern era's own error codes: an answer with one of them is a modern answer. */
const MODERN_ERRORS = new Set(['-32020', '-32021', '-32022'])

/** No server asks its client what we ask it: `cat` does, and every program that repeats what it reads. */
const ECHO = fault('server-failed', 'it sends back what it is sent: this is no MCP server')

const DISCOVER = 'server/discover'
const OURS: ReadonlySet<string> = new Set([DISCOVER, 'initialize'])
/** It holds its place for a moment and gives it up by itself. */
const PROBE: Tenant = {
  principal: 'probe',
  idle: undefined,
  giveUp: () => undefined,
  isProbe: true,
}
const HEADERS = { 'mcp-protocol-version': MODERN, 'mcp-method': DISCOVER }

export const LEGACY: Eras = { isModern: false, versions: [], isCertain: true }
/** Somebody's process has answered `initialize`, and that is all that is known. */
export const IN_DOUBT: Eras = { ...LEGACY, isCertain: false }

type Answer = Result<Response, Fault>
/** The process ended without an answer that says anything. */
type Told = Eras | 'ended'

/** A process of its own, which is ended whatever it answers. */
interface Trial {
  readonly ask: (request: Request, timeoutMs: number) => Promise<Answer>
  readonly pause: (delayMs: number) => Promise<undefined>
}

const onTrial = async <T>(
  { source, nextId, now, remarks }: ProbeOptions,
  use: (trial: Trial) => Promise<Result<T, Fault>>,
): Promise<Result<T, Fault>> => {
  const link = await source.open(PROBE)
  if (!link.ok) return link
  const { promise: echoed, resolve: echo } = Promise.withResolvers<Answer>()
  const channel = new Channel({
    link: link.value,
    owner: {
      serverMessage: ({ kind, method }) => {
        if (kind === 'request' && OURS.has(method)) echo(fail(ECHO))
      },
      ended: () => undefined,
    },
    nextId,
    now,
    observe: () => undefined,
    remarks,
    isShared: false,
  })
  const timers = [setInterval(() => channel.sweep(now()), 100)]
  const ask = (request: Request, timeoutMs: number): Promise<Answer> => {
    const headers = (): Readonly<Record<string, string>> =>
      request.method === DISCOVER ? HEADERS : {}
    const options = { timeoutMs, setting: 'startup-timeout', headers } as const
    return Promise.race([answerTo(channel, request, options), echoed])
  }
  const pause = (delayMs: number): Promise<undefined> =>
    new Promise((resolve) => {
      timers.push(setTimeout(() => resolve(undefined), delayMs))
    })
  try {
    return await use({ ask, pause })
  } finally {
    for (const timer of timers) clearTimeout(timer)
    channel.close()
  }
}

const isModernError = ({ text, error }: Response): boolean => {
  const code = member(error?.object, 'code')
  return code !== undefined && MODERN_ERRORS.has(slice(text, code))
}

const discovered = z.object({
  supportedVersions: z.array(z.string()).check(z.minLength(1), z.maxLength(64)),
})

/**
 * What the server says it supports; the revision we asked in, where it refuses that and so knows what it was asked. A
 * result without versions says nothing: some servers answer whatever they do not know with an empty one.
 */
const modernIn = (answer: Answer | undefined): Eras | undefined => {
  if (answer?.ok !== true) return undefined
  const { text, result } = answer.value
  const named = discovered.safeParse(valueAt(text, result)).data?.supportedVersions
  const versions = named ?? (isModernError(answer.value) ? [MODERN] : undefined)
  return versions && { isModern: true, versions, isCertain: true }
}

const isEcho = (answer: Answer): boolean => !answer.ok && answer.error === ECHO

const isEnd = (answer: Answer): boolean => !answer.ok && answer.error.code === 'server-exited'

/** What an answer to `initialize` says: that the server works, whatever it answers. */
const greeted = (answer: Answer): Result<Told, Fault> => {
  if (answer.ok || REFUSED.has(answer.error.code)) return ok(LEGACY)
  return isEnd(answer) ? ok('ended') : answer
}

/** Whether the process speaks the modern era, and if not whether it works. */
const bothAsked = async (
  { ask, pause }: Trial,
  timeoutMs: number,
): Promise<Result<Told, Fault>> => {
  const discovering = ask(ownRequest(DISCOVER, { _meta: modernMeta(MODERN) }), 0)
  const early = await Promise.race([discovering, pause(Math.min(SILENCE_MS, timeoutMs))])
  const known = modernIn(early)
  if (known) return ok(known)
  if (early && isEnd(early)) return ok('ended')
  if (early?.ok === false && isEcho(early)) return early
  const greeting = ask(ownInitialize(), timeoutMs)
  // Still starting, or silent: what was asked first is answered first, if it ever is.
  const late = early ?? (await lateAnswer(discovering, greeting, pause))
  const found = modernIn(late)
  return found ? ok(found) : greeted(await greeting)
}

/** The answer to the first of two questions; undefined where there is one to the second alone. */
const lateAnswer = async (
  first: Promise<Answer>,
  second: Promise<Answer>,
  pause: Trial['pause'],
): Promise<Answer | undefined> => {
  const answer = await Promise.race([first, second])
  return Promise.race([first, pause(answer.ok ? LATE_MS : 0)])
}

const discover =
  ({ source, startupTimeoutMs }: ProbeOptions) =>
  async (trial: Trial): Promise<Result<Told, Fault>> =>
    source.isLegacyOnly === true
      ? greeted(await trial.ask(ownInitialize(), startupTimeoutMs))
      : bothAsked(trial, startupTimeoutMs)

/** It ended at it, or let the time pass. */
const NO_WORD: ReadonlySet<FaultCode> = new Set(['server-exited', 'request-timeout'])
/** So long a modern server may take to answer `initialize`, beside which it has nothing to do. */
const OTHER_MS = 30_000

/** Of a modern server: whether it speaks the legacy era as well. Who says nothing would leave legacy clients waiting. */
const withOther = async (options: ProbeOptions, eras: Eras): Promise<Eras> => {
  const timeoutMs = Math.min(OTHER_MS, options.startupTimeoutMs)
  const answer = await onTrial(options, ({ ask }) => ask(ownInitialize(), timeoutMs))
  const refusesLegacy = answer.ok
    ? answer.value.error !== undefined
    : NO_WORD.has(answer.error.code)
  return { ...eras, refusesLegacy }
}

/** Asks the server; the fault is that of a server that answers nothing. */
const probe = async (options: ProbeOptions): Promise<Result<Eras, Fault>> => {
  const { startupTimeoutMs } = options
  const told = await onTrial(options, discover(options))
  if (!told.ok) return told
  if (told.value !== 'ended') {
    const isAsked = told.value.isModern && options.asksBoth === true
    return ok(isAsked ? await withOther(options, told.value) : told.value)
  }
  // Some exit at whatever comes before initialize; others had a reason that has nothing to do with it.
  const second = await onTrial(options, ({ ask }) => ask(ownInitialize(), startupTimeoutMs))
  return second.ok ? ok(IN_DOUBT) : second
}

/**
 * Asks once more where there was a doubt: who exits again at the same question, and again not without it, does not speak that
 * era. Who exits whatever it is asked is broken for now, and says nothing.
 */
const confirm = async (options: ProbeOptions): Promise<Result<Eras, Fault>> => {
  const told = await probe(options)
  return told.ok && !told.value.isCertain ? ok(LEGACY) : told
}

/** Both, of one server. */
export const probesOf = (
  options: ProbeOptions,
): Readonly<Record<'probe' | 'confirm', () => Promise<Result<Eras, Fault>>>> => ({
  probe: () => probe(options),
  confirm: () => confirm(options),
})
