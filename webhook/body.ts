// Reads the bodies of reviews, each bounded, and all that are in flight together, those of one namespace to a share of it:
// whoever reaches the port decides how many there are. What has no room is refused by its status alone, so that the API
// server counts the call as failed and does what its failurePolicy says; whoever asked tries again.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../shared/result.ts'
import { toldNamespace } from './admission/told-namespace.ts'
import { MAX_AGE_MS } from './review-queue.ts'

// The largest object that the API server stores is 1.5 MB, and a review may hold two, escaped.
export const MAX_BODY_BYTES = 7 * 1024 * 1024
const MIB = 1024 * 1024
/** Bodies in flight together, where nobody says how much memory there is; a review that is judged takes a few times its body. */
const HELD_BYTES = 32 * MIB
const [LEAST_HELD_BYTES, MOST_HELD_BYTES] = [16 * MIB, 256 * MIB]
/** Of the memory that there is. */
const HELD_SHARE = 8
/** No container is given more; without a limit cgroups say a number near 2 to the 63, or none. */
const NO_LIMIT_BYTES = 2 ** 50

/** Most reviews are far below this: a part of the room is always left to them. */
const SMALL_BODY_BYTES = 256 * 1024
const KEPT_FOR_SMALL = 1 / 4
/** What one namespace may have of the room that there is for bodies of a size. */
const NAMESPACE_SHARE = 1 / 2

/** How much may be in flight within a limit of memory. */
export const heldWithin = (limitBytes: number): number =>
  limitBytes > 0 && limitBytes < NO_LIMIT_BYTES
    ? Math.min(MOST_HELD_BYTES, Math.max(LEAST_HELD_BYTES, Math.floor(limitBytes / HELD_SHARE)))
    : HELD_BYTES

export interface BodyFault {
  readonly reason: 'malformed' | 'no-room' | 'crowd' | 'late'
  readonly status: 400 | 413 | 415 | 429 | 503
  readonly error: string
}

const malformed = (status: BodyFault['status'], error: string): BodyFault => ({
  reason: 'malformed',
  status,
  error,
})

const TOO_LARGE = malformed(413, 'the body exceeds 7 MB')
const COMPRESSED = malformed(415, 'the body must not be compressed')
const NOT_JSON = malformed(415, 'send an AdmissionReview as application/json')
const CUT = malformed(400, 'the body ended early')
const NO_ROOM: BodyFault = {
  reason: 'no-room',
  status: 503,
  error: 'too many reviews at once: their bodies exceed what Outrigger holds; try again',
}

const CROWD: BodyFault = {
  reason: 'crowd',
  status: 429,
  error: 'too many reviews of one namespace at once; try again',
}
/** Of what came too slowly by itself. */
const SLOW: BodyFault = {
  reason: 'late',
  status: 503,
  error: 'the review took too long to come to be answered in time; try again',
}
/** Of whose turn has come too late. */
export const LATE: BodyFault = {
  reason: 'late',
  status: 503,
  error: 'too many reviews at once: this one has waited too long to be answered in time; try again',
}

/** What has been read of a body so far. */
interface Reading {
  readonly bytes: number
  readonly namespace: string
}

/** The bytes of all bodies that are in flight. */
export class HeldBodies {
  private readonly most: number
  private held = 0
  /** Of those that have any. */
  private readonly byNamespace = new Map<string, number>()

  constructor(most = HELD_BYTES) {
    this.most = most
  }

  get bytes(): number {
    return this.held
  }

  /** Takes more bytes of a body that has so many by then; or says why there is no room. */
  take(more: number, { bytes, namespace }: Reading): BodyFault | undefined {
    const room = bytes > SMALL_BODY_BYTES ? this.most * (1 - KEPT_FOR_SMALL) : this.most
    const own = (this.byNamespace.get(namespace) ?? 0) + more
    if (this.held + more > room) return NO_ROOM
    if (own > room * NAMESPACE_SHARE) return CROWD
    this.held += more
    this.byNamespace.set(namespace, own)
    return undefined
  }

  release({ bytes, namespace }: Reading): void {
    this.held -= bytes
    const left = (this.byNamespace.get(namespace) ?? 0) - bytes
    if (left > 0) this.byNamespace.set(namespace, left)
    else this.byNamespace.delete(namespace)
  }
}

const headFault = ({ headers }: IncomingMessage): BodyFault | undefined => {
  const [type] = (headers['content-type'] ?? '').split(';')
  if (type?.trim().toLowerCase() !== 'application/json') return NOT_JSON
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return COMPRESSED
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES ? TOO_LARGE : undefined
}

/** A body, of which namespace it says it is, and how to let go of its room. */
export interface HeldBody {
  readonly bytes: Buffer
  readonly namespace: string
  release(): void
}

/** What comes of a refused review still is thrown away, for so long: left unread it would hold up the next one on its connection. */
const REST_MS = 10_000

const discard = (request: IncomingMessage): void => {
  if (request.destroyed) return
  const timer = setTimeout(() => request.destroy(), REST_MS)
  request.once('close', () => clearTimeout(timer)).resume()
}

/** The body of one review as it comes. */
class Body {
  private readonly held: HeldBodies
  private readonly chunks: Buffer[] = []
  private length = 0
  private namespace = ''

  constructor(held: HeldBodies) {
    this.held = held
  }

  /** Takes more of it, or says why not. */
  add(chunk: Buffer): BodyFault | undefined {
    const bytes = this.length + chunk.length
    if (bytes > MAX_BODY_BYTES) return TOO_LARGE
    if (this.length === 0) this.namespace = toldNamespace(chunk)
    const full = this.held.take(chunk.length, { bytes, namespace: this.namespace })
    if (full) return full
    this.length = bytes
    this.chunks.push(chunk)
    return undefined
  }

  whole(): HeldBody {
    const { namespace } = this
    const bytes = Buffer.concat(this.chunks)
    this.chunks.length = 0
    return { bytes, namespace, release: () => this.release() }
  }

  release(): void {
    this.held.release({ bytes: this.length, namespace: this.namespace })
    this.length = 0
    this.chunks.length = 0
  }
}

/** Reads a body to its end. Whoever gets it has to release it. What would be judged too late is not waited for. */
export const readBody = (
  request: IncomingMessage,
  held: HeldBodies,
): Promise<Result<HeldBody, BodyFault>> =>
  new Promise((resolve) => {
    const body = new Body(held)
    const settle = (result: Result<HeldBody, BodyFault>): void => {
      clearTimeout(timer)
      request.off('data', add).off('end', end).off('close', cut)
      resolve(result)
    }
    const refuse = (why: BodyFault): void => {
      body.release()
      settle(fail(why))
      discard(request)
    }
    const add = (chunk: Buffer): void => {
      const fault = body.add(chunk)
      if (fault) refuse(fault)
    }
    const end = (): void => settle(ok(body.whole()))
    const cut = (): void => refuse(CUT)
    const timer = setTimeout(refuse, MAX_AGE_MS, SLOW)
    const fault = headFault(request)
    if (fault) refuse(fault)
    else request.on('data', add).on('end', end).on('close', cut)
  })
