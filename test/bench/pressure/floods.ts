// What the sidecar is put under, each kind by itself: a crowd, hostile clients, and servers that are no better.

import { setTimeout as after } from 'node:timers/promises'
import { bare, endSession, inTurns, openSession, post, toolCall } from './clients.ts'

const MIB = 1024 * 1024
const BODY_BYTES = 4 * MIB
const PARALLEL = 8
const BATCH = 64

export type Target = {
  readonly url: string
  readonly signal: AbortSignal
  /** Part of the numbers, for a smoke run. */
  readonly share: number
}

export type Flood = {
  readonly name: string
  /** `session`: a server process each; `principal`: one for all. */
  readonly model: 'session' | 'principal'
  /** Runs it, and gives what to report of it; whatever it opened is closed by then. */
  readonly run: (target: Target) => Promise<string>
}

const countOf = (values: readonly (number | string)[]): string => {
  const counts = new Map<number | string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].map(([value, count]) => `${count} x ${value}`).join(', ')
}

const holdMs = ({ share }: Target): number => 10_000 * share

const sessions = (target: Target, count: number, version?: string): Promise<string[]> =>
  inTurns(Math.ceil(count * target.share), PARALLEL, () => openSession(target.url, version))

const ended = (target: Target, ids: readonly string[]): Promise<unknown> =>
  inTurns(ids.length, PARALLEL, (index) => endSession(target.url, ids[index] ?? ''))

const statusOf = async (answer: Promise<{ readonly status: number }>): Promise<number | string> => {
  try {
    return (await answer).status
  } catch {
    return 'cut off'
  }
}

const halfSent = async (target: Target): Promise<string> => {
  const body = Buffer.alloc(BODY_BYTES - 10, 'x')
  const sockets = Array.from({ length: Math.ceil(200 * target.share) }, () =>
    bare(target.url, { declared: BODY_BYTES, body }),
  )
  await after(holdMs(target), undefined, target)
  for (const socket of sockets) socket.destroy()
  return `${sockets.length} held`
}

const whole = async (target: Target): Promise<string> => {
  const ids = await sessions(target, 4)
  const body = toolCall(1, 'echo', BODY_BYTES - 200)
  const answers = Array.from({ length: Math.ceil(200 * target.share) }, (_, index) =>
    statusOf(post(target.url, ids[index % ids.length] ?? '', body)),
  )
  const seen = countOf(await Promise.all(answers))
  await ended(target, ids)
  return seen
}

const slowReaders = async (target: Target): Promise<string> => {
  const ids = await sessions(target, 64)
  const body = toolCall(1, 'large')
  const sockets = ids.map((session) => bare(target.url, { session, declared: body.length, body }))
  await after(holdMs(target), undefined, target)
  for (const socket of sockets) socket.destroy()
  await ended(target, ids)
  return `${sockets.length} held`
}

const longLines = async (target: Target): Promise<string> => {
  const ids = await sessions(target, 32)
  const body = toolCall(1, 'endless')
  const sockets = ids.map((session) => bare(target.url, { session, declared: body.length, body }))
  await after(holdMs(target), undefined, target)
  for (const socket of sockets) socket.destroy()
  await ended(target, ids)
  return `${sockets.length} servers`
}

const batches = async (target: Target): Promise<string> => {
  const ids = await sessions(target, 16, '2025-03-26')
  const batch = (name: string, bytes: number): string =>
    `[${Array.from({ length: BATCH }, (_, id) => toolCall(id, name, bytes)).join()}]`
  const bodies = [batch('echo', BODY_BYTES / BATCH - 200), batch('large', 0)]
  const answers = ids.flatMap((session, index) =>
    // A few ask for 64 answers of 14 MB each besides.
    bodies
      .slice(0, index % 4 === 0 ? 2 : 1)
      .map((body) => statusOf(post(target.url, session, body))),
  )
  const seen = countOf(await Promise.all(answers))
  await ended(target, ids)
  return seen
}

const streams = async (target: Target): Promise<string> => {
  const ids = await sessions(target, 1000)
  const sockets = ids.map((session) => bare(target.url, { method: 'GET', session }))
  await after(holdMs(target) / 2, undefined, target)
  for (const socket of sockets) socket.destroy()
  await ended(target, ids)
  return `${sockets.length} open`
}

/** What the sessions' bench reads while they are open. */
export type Settled = (sessions: number) => Promise<void>

/** Sessions whose event logs are full: of each the server announces more than all logs together may keep. */
export const fullLogs = async (target: Target, settled: Settled): Promise<string> => {
  const ids = await sessions(target, 4000)
  const [first = ''] = ids
  for (let round = 0; round < 32; round++) {
    await post(target.url, first, toolCall(round, 'announce'))
    await after(100, undefined, target)
  }
  await settled(ids.length)
  await ended(target, ids)
  return `${ids.length} open`
}

export const FLOODS: readonly Flood[] = [
  { name: '200 half-sent bodies of 4 MiB', model: 'session', run: halfSent },
  { name: '200 whole bodies of 4 MiB at once', model: 'session', run: whole },
  { name: '64 slow readers of 14 MB answers', model: 'session', run: slowReaders },
  { name: '32 servers of 16 MiB lines', model: 'session', run: longLines },
  { name: 'batches of the largest size', model: 'session', run: batches },
  { name: '1,000 open GET streams', model: 'principal', run: streams },
]
