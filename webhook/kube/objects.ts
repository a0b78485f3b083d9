// Objects as they stand in a cluster, for commands that look at it once: page by page and bounded, each with the kind
// that its list leaves out. Decides nothing.

import { isObject, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Ask, Reply } from './pods.ts'
import { clusterWords } from './words.ts'

const PAGE = 250
/** Of one page: the API server stores no object of more than 1.5 MB. */
const MAX_PAGE_BYTES = 512 * 1024 * 1024
/** Of all pages that one command reads. */
const MAX_BYTES = 1024 * 1024 * 1024

/** Why a collection could not be listed. */
export interface Unlisted {
  /** The API server does not know it. */
  readonly isMissing: boolean
  readonly why: string
}

export interface Objects {
  /** All of a collection, by its path. */
  list(path: string): Promise<Result<readonly JsonObject[], Unlisted>>
  /** The namespace that kubectl would take. */
  readonly namespace: string
}

class Answered extends Error {
  readonly code: number
  readonly body: string

  constructor(code: number, body: string) {
    super(`answered ${code}`)
    this.code = code
    this.body = body
  }
}

const bytesOf = async (body: Reply['body'], most: number): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > most) throw new Error(`the answer holds more than ${MAX_BYTES / 1024 / 1024} MiB`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** What a list leaves out of its items. */
const whole = (list: JsonObject): readonly JsonObject[] => {
  const kind = (stringAt(list, 'kind') ?? '').replace(/List$/, '')
  const apiVersion = stringAt(list, 'apiVersion') ?? ''
  return objectsAt(list, 'items').map((item) =>
    withAt(withAt(item, ['kind'], kind), ['apiVersion'], apiVersion),
  )
}

export const objectsBy = (ask: Ask, namespace: string, signal: AbortSignal): Objects => {
  let left = MAX_BYTES
  const page = async (path: string, from: string): Promise<JsonObject> => {
    const query = new URLSearchParams({ limit: String(PAGE), ...(from ? { continue: from } : {}) })
    const { status, body } = await ask(`${path}?${query.toString()}`, signal)
    const bytes = await bytesOf(body, Math.min(left, MAX_PAGE_BYTES))
    left -= bytes.length
    if (status !== 200) throw new Answered(status, bytes.toString())
    const list: unknown = JSON.parse(bytes.toString())
    return isObject(list) ? list : {}
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
        const isMissing = error instanceof Answered && error.code === 404
        return fail({ isMissing, why: clusterWords(error) })
      }
    },
  }
}
