// Builds AdmissionReviews and sends them as the API server does: over TLS, trusting one CA.

import { request, type Agent } from 'node:https'
import { isObject, type JsonObject } from '../../shared/json.ts'

export interface ReviewFields {
  readonly namespace?: string
  readonly uid?: string
  readonly operation?: string
  readonly resource?: {
    readonly group: string
    readonly version: string
    readonly resource: string
  }
  readonly subResource?: string
  readonly dryRun?: boolean
  readonly oldObject?: JsonObject
  readonly userInfo?: JsonObject
}

const PODS = { group: '', version: 'v1', resource: 'pods' }

/** A review of the creation of a pod, unless the fields say otherwise. */
export const reviewOf = (object: JsonObject | null, fields: ReviewFields = {}): JsonObject => {
  const {
    namespace = 'servers',
    uid = '1',
    operation = 'CREATE',
    resource = PODS,
    ...rest
  } = fields
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource,
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: resource,
      operation,
      namespace,
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
      ...rest,
    },
  }
}

export interface Reply {
  readonly status: number
  readonly body: JsonObject
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** The name to verify the certificate for, where it is not the URL's host. */
  readonly servername?: string
  readonly agent?: Agent
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** Posts a body and reads the JSON that comes back; a connection of its own unless an agent is given. */
export const postReview = (
  url: string,
  ca: string,
  body: string | Uint8Array,
  options: PostOptions = {},
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const { headers = JSON_TYPE, agent = false, servername } = options
    const fixed = { method: 'POST', ca, headers, agent, ...(servername ? { servername } : {}) }
    const outgoing = request(url, fixed, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}')
        resolve({ status: response.statusCode ?? 0, body: isObject(parsed) ? parsed : {} })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
