// AdmissionReview v1: bytes in, a typed request or a typed refusal out. Everything that is not a
// well-formed review is refused, with the request's uid where it can be told. Pure.

import { z } from 'zod'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'

const group = z.looseObject({ group: z.string(), version: z.string(), resource: z.string() })

const schema = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1).max(128),
    resource: group,
    subResource: z.string().optional(),
    operation: z.string(),
    namespace: z.string().default(''),
    object: z.custom<JsonObject | null>((value) => value === null || isObject(value)).optional(),
  }),
})

export interface Review {
  readonly uid: string
  readonly operation: string
  /** `group/version/resource/subresource`, the parts that are there. */
  readonly resource: string
  readonly namespace: string
  readonly object: JsonObject | undefined
}

export interface Malformed {
  /** Undefined where not even that could be read. */
  readonly uid: string | undefined
  readonly message: string
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads the body of a review. */
export const parseReview = (body: Uint8Array): Result<Review, Malformed> => {
  const document = parseJson(Buffer.from(body).toString('utf8'))
  if (!isObject(document)) {
    return fail({ uid: undefined, message: 'the body is not a JSON object' })
  }
  const parsed = schema.safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return fail({
      uid: stringAt(objectAt(document, 'request'), 'uid'),
      message: `not an AdmissionReview v1: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    })
  }
  const { uid, operation, resource, subResource, namespace, object } = parsed.data.request
  const parts = [resource.group, resource.version, resource.resource, subResource ?? '']
  return ok({
    uid,
    operation,
    resource: parts.filter((part) => part !== '').join('/'),
    namespace,
    object: object ?? undefined,
  })
}
