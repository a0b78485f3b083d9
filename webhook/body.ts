// Reads the bodies of reviews, each bounded, and all that are in flight together: whoever reaches the
// port decides how many there are. What has no room is refused, and its sender tries again.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../shared/result.ts'

// The largest object that the API server stores is 1.5 MB, and a review may hold two, escaped.
export const MAX_BODY_BYTES = 7 * 1024 * 1024
/** Bodies in flight together; a review that is judged takes a few times its body. */
export const MAX_HELD_BYTES = 32 * 1024 * 1024
/** Most reviews are far below this: so much is always left to them. */
const SMALL_BODY_BYTES = 256 * 1024
const KEPT_FOR_SMALL_BYTES = 8 * 1024 * 1024

export interface BodyFault {
  readonly status: 400 | 413 | 415 | 503
  readonly error: string
}

const TOO_LARGE: BodyFault = { status: 413, error: 'the body exceeds 7 MB' }
const COMPRESSED: BodyFault = { status: 415, error: 'the body must not be compressed' }
const NOT_JSON: BodyFault = {
  status: 415,
  error: 'send an AdmissionReview as application/json',
}
const CUT: BodyFault = { status: 400, error: 'the body ended early' }
const NO_ROOM: BodyFault = {
  status: 503,
  error: 'too many reviews at once: their bodies exceed what Outrigger holds; try again',
}

/** The bytes of all bodies that are in flight. */
export class HeldBodies {
  private readonly most: number
  private held = 0

  constructor(most = MAX_HELD_BYTES) {
    this.most = most
  }

  get bytes(): number {
    return this.held
  }

  /** Takes more bytes of a body that has so many by then; false where there is no room. */
  take(more: number, soFar: number): boolean {
    const kept = soFar > SMALL_BODY_BYTES ? KEPT_FOR_SMALL_BYTES : 0
    if (this.held + more > this.most - kept) return false
    this.held += more
    return true
  }

  release(bytes: number): void {
    this.held -= bytes
  }
}

const headFault = ({ headers }: IncomingMessage): BodyFault | undefined => {
  const [type] = (headers['content-type'] ?? '').split(';')
  if (type?.trim().toLowerCase() !== 'application/json') return NOT_JSON
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') return COMPRESSED
  return Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES ? TOO_LARGE : undefined
}

/** A body, and how to let go of its room. */
export interface HeldBody {
  readonly bytes: Buffer
  release(): void
}

/** Reads a body to its end. Whoever gets it has to release it. */
export const readBody = async (
  request: IncomingMessage,
  held: HeldBodies,
): Promise<Result<HeldBody, BodyFault>> => {
  const fault = headFault(request)
  if (fault) return fail(fault)
  const chunks: Buffer[] = []
  let length = 0
  const release = (): void => {
    held.release(length)
    length = 0
  }
  const refuse = (why: BodyFault): Result<HeldBody, BodyFault> => {
    release()
    return fail(why)
  }
  try {
    // The socket stays, so that a refusal can be told.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.from(chunk)
      if (length + bytes.length > MAX_BODY_BYTES) return refuse(TOO_LARGE)
      if (!held.take(bytes.length, length + bytes.length)) return refuse(NO_ROOM)
      length += bytes.length
      chunks.push(bytes)
    }
  } catch {
    return refuse(CUT)
  }
  return ok({ bytes: Buffer.concat(chunks), release })
}
