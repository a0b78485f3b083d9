// An answer of the API server as its bytes come, for whoever decides how much of it is read. Decides nothing.

/** What there is of it so far; the rest is still to come. */
export interface Reply {
  readonly status: number
  /** Whoever leaves it early ends the request. */
  readonly body: AsyncIterable<Uint8Array>
}

/** A GET of a path with its query; with a body a POST of that JSON. */
export type Ask = (path: string, signal: AbortSignal | undefined, body?: string) => Promise<Reply>

/** What the API server has refused, as its client has it. */
export class Refusal extends Error {
  readonly code: number
  readonly body: string

  constructor(code: number, body: string) {
    super(`answered ${code}`)
    this.code = code
    this.body = body
  }
}

/** Of those that have too much to do: whatever else is asked of them they refuse as well. */
const BUSY = [429, 503, 504]

/** What was refused of some work, where another request may come through all the same; whatever else goes wrong is thrown. */
export const refusalOf = async (work: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    if (error instanceof Refusal && !BUSY.includes(error.code)) return error
    throw error
  }
}

/** All of a body; undefined where it is longer than `most` bytes. */
export const bytesOf = async (body: Reply['body'], most: number): Promise<Buffer | undefined> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > most) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Any request. */
export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly contentType?: string
  readonly body?: string
}
export type Send = (request: Request, signal: AbortSignal | undefined) => Promise<Reply>
