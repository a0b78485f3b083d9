// Sends a pod to the webhook as the API server would: an AdmissionReview v1 over TLS, verified
// against the webhook's own authority.

import { randomUUID } from 'node:crypto'
import { request } from 'node:https'
import type { JsonObject } from '../../shared/json.ts'

export interface Submission {
  readonly url: string
  readonly caBundle: string
  readonly namespace: string
  readonly pod: JsonObject
}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024

const reviewOf = ({ pod, namespace }: Submission): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      namespace,
      operation: 'CREATE',
      dryRun: false,
      object: pod,
    },
  })

/** The webhook's answer, parsed from JSON; rejects where there is none. */
export const submit = (submission: Submission): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const sent = request(
      submission.url,
      { method: 'POST', ca: submission.caBundle, headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()))
          } catch {
            reject(new Error(`the webhook answered HTTP ${response.statusCode} without JSON`))
          }
        })
      },
    )
    sent.on('error', reject)
    sent.end(reviewOf(submission))
  })
