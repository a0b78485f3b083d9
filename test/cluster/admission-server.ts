// Somebody else's mutating webhook, in the test's own process: says what it was asked and answers
// with the patch that the test wants.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Api, Json } from './api.ts'
import { at } from './api.ts'
import { run, words } from './machine/run.ts'

export type PatchOperation = Readonly<{ op: string; path: string; value?: unknown }>

export interface AdmissionServer {
  /** Every review that came, in its order. */
  readonly reviews: readonly Json[]
  readonly close: () => Promise<void>
}

export interface AdmissionServerOptions {
  /** Name of the configuration: webhooks are called in the order of these names. */
  readonly name: string
  /** Label that a namespace must have for its pods to be sent here. */
  readonly namespaceLabel: string
  /** What is sent here, besides pods that are created. */
  readonly rules?: readonly Json[]
  readonly answer: (pod: unknown) => readonly PatchOperation[]
}

const review = z.record(z.string(), z.unknown())

const certificate = async (): Promise<{ cert: Buffer; key: Buffer }> => {
  const cwd = mkdtempSync(join(tmpdir(), 'outrigger-webhook-'))
  try {
    const line = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1'
    const files =
      '-keyout key.pem -out cert.pem -subj /CN=beside -addext subjectAltName=IP:127.0.0.1'
    await run([...words(line), ...words(files)], { cwd })
    return { cert: readFileSync(join(cwd, 'cert.pem')), key: readFileSync(join(cwd, 'key.pem')) }
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

const configuration = (options: AdmissionServerOptions, port: number, ca: Buffer): Json => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: options.name },
  webhooks: [
    {
      name: `${options.name}.example.com`,
      clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: ca.toString('base64') },
      rules: [
        { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ...(options.rules ?? []),
      ],
      namespaceSelector: { matchLabels: { [options.namespaceLabel]: 'yes' } },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      reinvocationPolicy: 'IfNeeded',
      failurePolicy: 'Fail',
      timeoutSeconds: 5,
    },
  ],
})

/** Listens and registers itself with the API server. */
export const startAdmissionServer = async (
  api: Api,
  options: AdmissionServerOptions,
): Promise<AdmissionServer> => {
  const { cert, key } = await certificate()
  const reviews: Json[] = []
  const server = createServer({ cert, key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const asked = review.parse(JSON.parse(Buffer.concat(chunks).toString()))
      reviews.push(asked)
      const patch = options.answer(at(asked, 'request', 'object'))
      const text = Buffer.from(JSON.stringify(patch)).toString('base64')
      const answer = {
        uid: at(asked, 'request', 'uid'),
        allowed: true,
        ...(patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: text }),
      }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: answer,
        }),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  await api.apply([configuration(options, address.port, cert)])
  return {
    reviews,
    close: async () => {
      await api.remove(
        `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${options.name}`,
      )
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
