// Pods as they run, and the policies that we keep for them, from the bytes of the API server's answers: whoever may create pods
// decides how large they are, and nothing is parsed before it is known how much it holds. Between two pages everybody else has
// their turn. Decides nothing.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { isObject, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { FairTurns } from '../../shared/fair-turns.ts'
import { extentOf } from '../../shared/json-extent.ts'
import { INJECTED, MANAGED } from '../../shared/names.ts'
import { MAX_DEPTH, MAX_VALUES } from '../inject/limits.ts'
import type { GuardedPods } from '../cluster/guarded-pods.ts'
import type { RunningPods } from '../cluster/running-pods.ts'
import { bytesOf, Refusal, type Ask } from './reply.ts'
import { clusterWords } from './words.ts'

/** The pods of a page; fewer where a page of so many is too large. */
export const PAGE = 10
/** Of an answer; the API server stores no object of more than 1.5 MB. */
export const MAX_BYTES = 2 * 1024 * 1024
/** Of all pages together, those that were given up too. */
export const MAX_ALL_BYTES = 32 * 1024 * 1024
/** The same in members and items, in the place of the time that reading them takes. */
export const MAX_ALL_VALUES = 1_000_000
// What Kubernetes notes of a pod besides what its author has written, and what is around it.
const BOUNDS = { values: MAX_VALUES + 2000, depth: MAX_DEPTH + 8 }

interface Answer {
  readonly bytes: number
  readonly values: number
  /** Undefined: there is more of it than is read at once. */
  readonly object: JsonObject | undefined
}

const asked = async (ask: Ask, path: string, signal: AbortSignal | undefined): Promise<Answer> => {
  const { status, body } = await ask(path, signal)
  const bytes = await bytesOf(body, MAX_BYTES)
  if (status !== 200) throw new Refusal(status, (bytes ?? '').toString())
  if (!bytes) return { bytes: MAX_BYTES, values: 0, object: undefined }
  const { values, passed } = extentOf(bytes, BOUNDS)
  if (passed) return { bytes: bytes.length, values, object: undefined }
  const object: unknown = JSON.parse(bytes.toString())
  return { bytes: bytes.length, values, object: isObject(object) ? object : {} }
}

const TOO_LARGE = `one is larger than is read here (${MAX_VALUES} values, ${MAX_BYTES / 1024 / 1024} MiB)`
const OTHER = 'the API server answered with no pod of that name'
const TOO_MUCH = `together they are larger than is read here (${MAX_ALL_VALUES} values, ${MAX_ALL_BYTES / 1024 / 1024} MiB)`

const pathOf = (namespace: string, name = ''): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods${name === '' ? '' : `/${encodeURIComponent(name)}`}`

/** What is listed of a namespace, and whose turn each page is. */
interface Listing {
  readonly path: string
  readonly labels?: string
  readonly namespace: string
}

/** How far a list has come. */
interface Place {
  readonly limit: number
  readonly from: string
  readonly bytes: number
  readonly values: number
}

const pathAt = ({ path, labels }: Listing, { limit, from }: Place): string => {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(labels === undefined ? {} : { labelSelector: labels }),
    ...(from ? { continue: from } : {}),
  })
  return `${path}?${query.toString()}`
}

/** Where the next page begins; undefined: there is none. */
const placeAfter = (place: Place, page: Answer): Place | undefined => {
  const [bytes, values] = [place.bytes + page.bytes, place.values + page.values]
  if (!page.object && place.limit === 1) throw new Error(TOO_LARGE)
  const next = page.object
    ? { limit: place.limit, from: stringAt(page.object, 'metadata', 'continue') ?? '' }
    : { limit: Math.floor(place.limit / 2), from: place.from }
  if (page.object && next.from === '') return undefined
  if (bytes > MAX_ALL_BYTES || values > MAX_ALL_VALUES) throw new Error(TOO_MUCH)
  return { ...next, bytes, values }
}

type Pages = (listing: Listing, signal: AbortSignal) => AsyncGenerator<JsonObject>

const pagesBy = (ask: Ask): Pages => {
  // Each page may be large: there is one at a time, by turns between namespaces.
  const turns = new FairTurns()
  /** A page of its own frame, so that nothing of it is kept for the next one's turn. */
  async function* pageAt(
    place: Place,
    listing: Listing,
    signal: AbortSignal,
  ): AsyncGenerator<JsonObject, Place | undefined> {
    const end = await turns.take(listing.namespace, signal)
    try {
      const page = await asked(ask, pathAt(listing, place), signal)
      yield* objectsAt(page.object, 'items')
      const next = placeAfter(place, page)
      await nextTurn()
      return next
    } finally {
      end()
    }
  }
  return async function* (listing, signal) {
    let place: Place | undefined = { limit: PAGE, from: '', bytes: 0, values: 0 }
    try {
      while (place) place = yield* pageAt(place, listing, signal)
    } catch (error) {
      throw new Error(clusterWords(error), { cause: error })
    }
  }
}

export const runningPods = (
  ask: Ask,
): Pick<RunningPods, 'list' | 'get'> & { readonly guarded: GuardedPods } => {
  const pages = pagesBy(ask)
  const list: RunningPods['list'] = (namespace, signal) =>
    pages({ path: pathOf(namespace), namespace }, signal)
  const looks = new FairTurns()
  const guarded: GuardedPods = {
    turn: (namespace, signal) => looks.take(namespace, signal),
    pods: (namespace, signal) =>
      pages({ path: pathOf(namespace), labels: INJECTED, namespace }, signal),
    policies: (namespace, signal) => {
      const place = `namespaces/${encodeURIComponent(namespace)}/networkpolicies`
      const path = `/apis/networking.k8s.io/v1/${place}`
      return pages({ path, labels: MANAGED, namespace }, signal)
    },
  }
  const get: RunningPods['get'] = async (namespace, name) => {
    try {
      const { object } = await asked(ask, pathOf(namespace, name), undefined)
      if (!object) throw new Error(TOO_LARGE)
      // A name that is a step of a path leads elsewhere, and a list has no sidecar.
      if (stringAt(object, 'metadata', 'name') !== name) throw new Error(OTHER)
      return object
    } catch (error) {
      if (error instanceof Refusal && error.code === 404) return undefined
      throw new Error(clusterWords(error), { cause: error })
    }
  }
  return { list, get, guarded }
}
