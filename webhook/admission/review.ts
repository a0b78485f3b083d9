// AdmissionReview v1: bytes in, a typed request or a typed refusal out. Everything that is not a
// well-formed review is refused, with the request's uid where it can be told; so is one whose size
// alone would hold up all others, before it is parsed. Pure.

import { z } from 'zod'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, objectAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { Asker } from '../cluster/asker.ts'
import { excess, outlineOf } from './extent.ts'

const resourceSchema = z.looseObject({
  group: z.string(),
  version: z.string(),
  resource: z.string(),
})

const raw = z.custom<JsonObject | null>((value) => value === null || isObject(value)).optional()

const schema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1).max(128),
    resource: resourceSchema,
    subResource: z.string().optional(),
    operation: z.string(),
    namespace: z.string().default(''),
    object: raw,
    oldObject: raw,
  }),
})

/** What a review says of itself: for its answer and for the log. Undefined is what it does not say. */
export interface Origin {
  readonly uid: string | undefined
  readonly namespace: string | undefined
  readonly kind: string | undefined
  /** The pod's name, or what its name is made from. */
  readonly name: string | undefined
  readonly user: string | undefined
  readonly dryRun: boolean
}

export interface Review {
  readonly uid: string
  readonly origin: Origin
  readonly operation: string
  /** `group/version/resource/subresource`, the parts that are there. */
  readonly resource: string
  readonly namespace: string
  readonly asker: Asker
  readonly object: JsonObject | undefined
  /** The object before an update. */
  readonly oldObject: JsonObject | undefined
}

export interface Refused {
  readonly reason: 'malformed' | 'too-large'
  /** Without a uid where not even that could be read. */
  readonly origin: Origin
  readonly message: string
}

const parseJson = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

const originOf = (document: unknown): Origin => {
  const request = isObject(document) ? objectAt(document, 'request') : {}
  const metadata = objectAt(request, 'object', 'metadata')
  const names = [request['name'], metadata['name'], metadata['generateName']]
  return {
    uid: stringAt(request, 'uid'),
    namespace: stringAt(request, 'namespace'),
    kind: stringAt(request, 'kind', 'kind'),
    name: names.filter((name) => typeof name === 'string').find((name) => name !== ''),
    user: stringAt(request, 'userInfo', 'username'),
    dryRun: request['dryRun'] === true,
  }
}

const tooLarge = (body: Uint8Array, why: string): Refused => {
  const outline = outlineOf(body)
  return {
    reason: 'too-large',
    origin: originOf(outline && parseJson(outline)),
    message: `the review ${why}; Outrigger reads no such review, make the object smaller`,
  }
}

const nameOf = (
  { group, version, resource }: z.output<typeof resourceSchema>,
  subResource: string | undefined,
): string => [group, version, resource, subResource].filter(Boolean).join('/')

/** What is no list of texts names no group. */
const askerOf = (document: JsonObject): Asker => {
  const info = objectAt(document, 'request', 'userInfo')
  const extra = objectAt(info, 'extra')
  return {
    user: stringAt(info, 'username') ?? '',
    uid: stringAt(info, 'uid') ?? '',
    groups: stringsAt(info, 'groups') ?? [],
    extra: Object.fromEntries(
      Object.keys(extra).map((name) => [name, stringsAt(extra, name) ?? []]),
    ),
  }
}

/** Reads the body of a review. */
export const parseReview = (body: Uint8Array): Result<Review, Refused> => {
  const why = excess(body)
  if (why !== undefined) return fail(tooLarge(body, why))
  const document = parseJson(body)
  const origin = originOf(document)
  if (!isObject(document)) {
    return fail({ reason: 'malformed', origin, message: 'the body is not a JSON object' })
  }
  const parsed = schema.safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const message = `not an AdmissionReview v1: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
    return fail({ reason: 'malformed', origin, message })
  }
  const { uid, operation, resource, subResource, namespace, object, oldObject } =
    parsed.data.request
  return ok({
    uid,
    origin,
    operation,
    resource: nameOf(resource, subResource),
    namespace,
    asker: askerOf(document),
    object: object ?? undefined,
    oldObject: oldObject ?? undefined,
  })
}
