// Objects as they stand in a cluster, for commands that look at it once: page by page and bounded, each with the kind
// that its list leaves out. Decides nothing.

import { isObject, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { bytesOf, Refusal, type Ask } from './reply.ts'
import { clusterWords } from './words.ts'

const PAGE = 250
/** Of one page: the API server stores no object of more than 1.5 MB. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024
/** Of all pages that one command reads. */
const MAX_BYTES = 1024 * 1024 * 1024

const TOO_MUCH = 'the answer holds more than is read here'
const NO_OBJECT = 'what answers is no API server: it sent no JSON object'

/** Why a collection could not be listed. */
export interface Unlisted {
  /** The API server does not know it. */
  readonly isMissing: boolean
  readonly why: string
}

export interface Objects {
  /** All of a collection, by its path. */
  list(path: string): Promise<Result<readonly JsonObject[], Unlisted>>
  /** One object, by its path. */
  get(path: string): Promise<Result<JsonObject, Unlisted>>
  /** What would come of creating an object in a collection, by its path: nothing is kept. */
  tryCreate(path: string, object: JsonObject): Promise<Result<JsonObject, Unlisted>>
  /** What a pod answers through the API server, as it is. */
  text(path: string): Promise<Result<string, Unlisted>>
  /** The namespace that kubectl would take. */
  readonly namespace: string
}

/** What a list leaves out of its items. */
const whole = (list: JsonObject): readonly JsonObject[] => {
  const kind = (stringAt(list, 'kind') ?? '').replace(/List$/, '')
  const apiVersion = stringAt(list, 'apiVersion') ?? ''
  return objectsAt(list, 'items').map((item) =>
    withAt(withAt(item, ['kind'], kind), ['apiVersion'], apiVersion),
  )
}

/** What went wrong, as whoever asked is told. */
const unlisted = (error: unknown): Result<never, Unlisted> =>
  fail({ isMissing: error instanceof Refusal && error.code === 404, why: clusterWords(error) })

/** Of what a pod answers. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024

/** How long an answer may take, all of it. */
export interface Patience {
  readonly serverMs: number
  /** Whoever runs in a pod may say nothing at all. */
  readonly podMs: number
}
/** An API server ends by itself what takes it longer than a minute. */
const PATIENCE: Patience = { serverMs: 60_000, podMs: 10_000 }

/** Work that is left when its time is over, or whoever asked has gone. */
const inTime = async <T>(
  [who, ms]: readonly [who: string, ms: number],
  signal: AbortSignal,
  work: (within: AbortSignal) => Promise<T>,
): Promise<T> => {
  const late = AbortSignal.timeout(ms)
  try {
    return await work(AbortSignal.any([signal, late]))
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error
    throw new Error(`${who} did not answer within ${ms / 1000} s`, { cause: error })
  }
}

const objectIn = (bytes: Buffer): JsonObject => {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (isObject(value)) return value
  } catch {
    // What the parser says of it is somebody else's words.
  }
  throw new Error(NO_OBJECT)
}

export const objectsBy = (
  ask: Ask,
  namespace: string,
  signal: AbortSignal,
  { serverMs, podMs } = PATIENCE,
): Objects => {
  let left = MAX_BYTES
  const answer = async (
    path: string,
    mostBytes: number,
    { json, within }: { readonly json?: string | undefined; readonly within: AbortSignal },
  ): Promise<Buffer> => {
    const { status, body } = await ask(path, within, json)
    const bytes = await bytesOf(body, Math.min(left, mostBytes))
    if (!bytes) throw new Error(TOO_MUCH)
    left -= bytes.length
    if (status !== (json === undefined ? 200 : 201)) throw new Refusal(status, bytes.toString())
    return bytes
  }
  const object = async (path: string, json?: string): Promise<JsonObject> =>
    objectIn(
      await inTime(['the API server', serverMs], signal, (within) =>
        answer(path, MAX_PAGE_BYTES, { json, within }),
      ),
    )
  const page = (path: string, from: string): Promise<JsonObject> => {
    const query = new URLSearchParams({ limit: String(PAGE), ...(from ? { continue: from } : {}) })
    return object(`${path}?${query.toString()}`)
  }
  return {
    namespace,
    list: async (path) => {
      const found: JsonObject[] = []
      try {
        for (let from: string | undefined = ''; from !== undefined;) {
          const list: JsonObject = await page(path, from)
          found.push(...whole(list))
          from = stringAt(list, 'metadata', 'continue') || undefined
        }
        return ok(found)
      } catch (error) {
        return unlisted(error)
      }
    },
    get: (path) => object(path).then(ok, unlisted),
    tryCreate: (path, value) =>
      object(`${path}?dryRun=All`, JSON.stringify(value)).then(ok, unlisted),
    text: (path) =>
      inTime(['it', podMs], signal, (within) => answer(path, MAX_TEXT_BYTES, { within })).then(
        (bytes) => ok(bytes.toString()),
        unlisted,
      ),
  }
}
