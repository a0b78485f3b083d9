// Which eras the server speaks, found out on throw-away processes before the first client comes: a
// server pins a connection to the era of its first message. One that has answered is what readiness means.

import * as z from 'zod/mini'
import type { Fault, FaultCode } from '../mcp/faults.ts'
import { member, slice, valueAt, type Request, type Response } from '../mcp/message.ts'
import { modernMeta, ownInitialize, ownRequest } from '../mcp/own-request.ts'
import { MODERN } from '../mcp/revision.ts'
import type { LinkSource, Tenant } from '../server/source.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Channel } from '../conversation/channel.ts'

/** What a server speaks. */
export interface Eras {
  readonly isLegacy: boolean
  readonly isModern: boolean
  /** The modern revisions that the server names itself. */
  readonly versions: readonly string[]
}

/** A server that knows its callers itself, and not us. */
const REFUSED: ReadonlySet<FaultCode> = new Set(['server-unauthorized', 'server-forbidden'])
const LEGACY_ONLY: Eras = { isLegacy: true, isModern: false, versions: [] }

export interface ProbeOptions {
  readonly source: LinkSource
  readonly startupTimeoutMs: number
  readonly nextId: () => number
  readonly now: () => number
}

/** A server that speaks no modern answers or not; it is not waited for longer than this (or than its start took). */
const SILENCE_MS = 5000
/** The modern era's own error codes: an answer with one of them is a modern answer. */
const MODERN_ERRORS = new Set(['-32020', '-32021', '-32022'])

const DISCOVER = 'server/discover'
/** It holds its place for a moment and gives it up by itself. */
const PROBE: Tenant = { principal: 'probe', idle: undefined, giveUp: () => undefined }
const HEADERS = { 'mcp-protocol-version': MODERN, 'mcp-method': DISCOVER }

/** One request to a process of its own, which is ended whatever the answer. */
const askOnce = async (
  { source, nextId, now }: ProbeOptions,
  request: Request,
  timeoutMs: number,
): Promise<Result<Response, Fault>> => {
  const link = await source.open(PROBE)
  if (!link.ok) return link
  const channel = new Channel({
    link: link.value,
    owner: { serverMessage: () => undefined, ended: () => undefined },
    nextId,
    now,
    observe: () => undefined,
  })
  const ticking = setInterval(() => channel.sweep(now()), 100)
  try {
    return await new Promise<Result<Response, Fault>>((resolve) => {
      const caller = {
        answer: (_text: string, response: Response): void => resolve(ok(response)),
        notice: (): boolean => true,
        fault: (reason: Fault): void => resolve(fail(reason)),
      }
      channel.call(request, caller, {
        timeoutMs,
        headers: () => (request.method === DISCOVER ? HEADERS : {}),
      })
    })
  } finally {
    clearInterval(ticking)
    channel.close()
  }
}

const isModernAnswer = (response: Response): boolean => {
  const code = member(response.error?.object, 'code')
  return (
    response.result !== undefined ||
    (code !== undefined && MODERN_ERRORS.has(slice(response.text, code)))
  )
}

const discovered = z.object({ supportedVersions: z.array(z.string()).check(z.maxLength(64)) })

/** What the server says it supports; the revision we asked in, where it does not say. */
const versionsIn = ({ text, result }: Response): readonly string[] =>
  discovered.safeParse(valueAt(text, result)).data?.supportedVersions ?? [MODERN]

const hasResult = (answer: Result<Response, Fault>): boolean =>
  answer.ok && answer.value.result !== undefined

/** Whether the answer to `initialize` says all: the server has no other era, or answers, though not to us. */
const isSettled = (legacy: Result<Response, Fault>, { source }: ProbeOptions): boolean =>
  legacy.ok ? hasResult(legacy) && source.isLegacyOnly === true : REFUSED.has(legacy.error.code)

/** Asks the server for both eras; the fault is that of a server that answers neither. */
export const probe = async (options: ProbeOptions): Promise<Result<Eras, Fault>> => {
  const { now, startupTimeoutMs } = options
  const startMs = now()
  const legacy = await askOnce(options, ownInitialize(), startupTimeoutMs)
  const isLegacy = hasResult(legacy)
  if (isSettled(legacy, options)) return ok(LEGACY_ONLY)
  const patienceMs = isLegacy ? Math.max(SILENCE_MS, 2 * (now() - startMs)) : startupTimeoutMs
  const discover = ownRequest(DISCOVER, { _meta: modernMeta(MODERN) })
  const modern = await askOnce(options, discover, patienceMs)
  const isModern = modern.ok && isModernAnswer(modern.value)
  // Clients were faster and have every place: it has not been asked, so nothing is known.
  if (!modern.ok && modern.error.code === 'no-capacity') return modern
  if (isLegacy || isModern) {
    return ok({ isLegacy, isModern, versions: modern.ok ? versionsIn(modern.value) : [] })
  }
  return legacy.ok ? ok(LEGACY_ONLY) : legacy
}
