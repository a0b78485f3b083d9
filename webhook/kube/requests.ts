// Single requests to the API server, for whoever writes there: each answer bounded and read as an object. Decides nothing.

import { isObject, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Collection } from './collection.ts'
import { bytesOf, Refusal, type Request, type Send } from './reply.ts'

/** The API server stores no object of more than 1.5 MB. */
const MAX_BYTES = 4 * 1024 * 1024
/** Of a page, which is held as text and read at once; one that would be larger is asked for in smaller ones. */
const MAX_PAGE_BYTES = 8 * 1024 * 1024

class TooLarge extends Error {}

export interface Answered {
  readonly status: number
  readonly object: JsonObject
}

/** Anything else than what is `fine` is thrown, as the API server's client has it. */
const answer = async (
  send: Send,
  request: Request,
  { fine, signal }: { readonly fine: readonly number[]; readonly signal: AbortSignal },
  most = MAX_BYTES,
): Promise<Answered> => {
  const { status, body } = await send(request, signal)
  const bytes = await bytesOf(body, most)
  if (!bytes) throw new TooLarge('the answer holds more than is read here')
  const isFine = (status >= 200 && status < 300) || fine.includes(status)
  if (!isFine) throw new Refusal(status, bytes.toString())
  const object: unknown = bytes.length === 0 ? {} : JSON.parse(bytes.toString())
  return { status, object: isObject(object) ? object : {} }
}

/** How long one request may take. */
const PATIENCE_MS = 10_000
/** And one that was written from when its asker is told to stop: whoever leads next begins after that (TERMS of lease.ts). */
const LEFT_MS = 4000

export interface Requests {
  /** Undefined where there is none. */
  get(path: string, signal: AbortSignal): Promise<JsonObject | undefined>
  /** A status among `fine` is for the caller to tell. */
  write(request: Request, signal: AbortSignal, fine?: readonly number[]): Promise<Answered>
}

interface SentRequests extends Requests {
  /** Resolves when nothing that was written is under way any more. */
  settled(): Promise<void>
}

/** What is given after a time. */
type Timeout = (ms: number) => AbortSignal

/** Whoever asked goes on at once when he is told to stop, and what he has sent is left to its end for a while: a request whose
 * body is torn off while it is written has Node's HTTP/2 write it for ever. */
class Writes {
  private readonly timeout: Timeout
  private readonly underWay = new Set<Promise<void>>()

  constructor(timeout: Timeout) {
    this.timeout = timeout
  }

  /** `work` ends with the signal that it is given. */
  begin<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const abandoned = new AbortController()
    const end = AbortSignal.any([this.timeout(PATIENCE_MS), abandoned.signal])
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        const left = this.timeout(LEFT_MS)
        left.addEventListener('abort', () => abandoned.abort(), { once: true })
        reject(new Error('it was told to stop'))
      }
      signal.addEventListener('abort', stop, { once: true })
      const isOver = work(end)
        .then(resolve, reject)
        .finally(() => {
          signal.removeEventListener('abort', stop)
          this.underWay.delete(isOver)
        })
      this.underWay.add(isOver)
    })
  }

  async settled(): Promise<void> {
    await Promise.all(this.underWay)
  }
}

export const requestsBy = (
  send: Send,
  timeout: Timeout = (ms) => AbortSignal.timeout(ms),
): SentRequests => {
  const writes = new Writes(timeout)
  const within = (signal: AbortSignal): AbortSignal =>
    AbortSignal.any([signal, timeout(PATIENCE_MS)])
  return {
    settled: () => writes.settled(),
    get: async (path, signal) => {
      const fine = { fine: [404], signal: within(signal) }
      const { status, object } = await answer(send, { method: 'GET', path }, fine)
      return status === 404 ? undefined : object
    },
    write: async (request, signal, fine = []) => {
      signal.throwIfAborted()
      return writes.begin((end) => answer(send, request, { fine, signal: end }), signal)
    },
  }
}

/** A page of so many objects, or of fewer where these are too large together. */
const pageOf = async (
  send: Send,
  path: string,
  query: Readonly<Record<string, string>>,
  limit: number,
): Promise<JsonObject> => {
  const asked = new URLSearchParams({ ...query, limit: String(limit) })
  const request = { method: 'GET', path: `${path}?${asked.toString()}` } as const
  const signal = AbortSignal.timeout(PATIENCE_MS)
  try {
    const { object } = await answer(send, request, { fine: [], signal }, MAX_PAGE_BYTES)
    return object
  } catch (error) {
    if (!(error instanceof TooLarge) || limit <= 1) throw error
    return pageOf(send, path, query, Math.floor(limit / 2))
  }
}

/** Which objects of it: by their labels, or by fields. */
type Selected = Readonly<Partial<Record<'labelSelector' | 'fieldSelector', string>>>

/** A collection as its follower asks for it: a list and a watch of the same objects. */
export const collectionBy = (
  send: Send,
  path: string,
  selected: Selected = {},
): Omit<Collection<unknown>, 'read'> => ({
  path,
  ...selected,
  list: async ({ limit, _continue }) => {
    const from = _continue === undefined ? {} : { continue: _continue }
    const object = await pageOf(send, path, { ...selected, ...from }, limit)
    const next = stringAt(object, 'metadata', 'continue')
    const version = stringAt(object, 'metadata', 'resourceVersion')
    return {
      items: objectsAt(object, 'items'),
      metadata: {
        ...(next ? { _continue: next } : {}),
        ...(version === undefined ? {} : { resourceVersion: version }),
      },
    }
  },
})
