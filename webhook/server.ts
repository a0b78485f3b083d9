// The admission server: POST /mutate and POST /validate over TLS, and an admin port with /livez, /readyz and /metrics.
// Fails closed: whatever goes wrong is an error to the API server, whose failure policy refuses the
// pod. Readiness is the first thing to go when it closes, so that no call is lost on the way out.

import { X509Certificate } from 'node:crypto'
import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from 'express'
import { shortDigest } from '../certs/authorities.ts'
import { messageOf } from '../shared/message.ts'
import type { Log } from '../shared/log.ts'
import type { Answer, Answered } from './admission/answering.ts'
import { mutate, type MutateOptions } from './admission/mutate.ts'
import { validate, type ValidateOptions } from './admission/validate.ts'
import type { ClusterConfig } from './cluster/config.ts'
import { HeldBodies, heldWithin, LATE, readBody, type BodyFault, type HeldBody } from './body.ts'
import { createPlainServer, createTlsServer, drain, listen, type Certificate } from './listener.ts'
import { ReviewQueue, type Arrival } from './review-queue.ts'
import { sendAnswer } from './send-answer.ts'
import { relaxations } from './settings/floor.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'
import type { Followed } from './watch-telemetry.ts'

export interface WebhookOptions extends MutateOptions, ValidateOptions {
  readonly certificate: Certificate
  /** Whether API servers take the certificate that serves now; absent: nobody asks. */
  readonly isCertificateValid?: () => boolean
  /** Address of both ports; undefined: every address. */
  readonly host: string | undefined
  /** Port 0 picks a free one. */
  readonly port: number
  readonly adminPort: number
  readonly log: Log
  /** What is followed of the API server, for the metrics. */
  readonly followers?: readonly Followed[]
  /** Of the container that it runs in, bytes; 0 where nobody knows. */
  readonly memoryLimitBytes?: number
  /** How long to go on serving, not ready, before the port closes. */
  readonly drainDelayMs: number
}

export interface Webhook {
  readonly port: number
  readonly adminPort: number
  readonly telemetry: Telemetry
  /** Serves new connections with another certificate. */
  renew(certificate: Certificate): void
  /** Shows when each authority by which API servers trust a replica ends. */
  authorities(ends: readonly (readonly [role: string, end: Date])[]): void
  /** Shows what the configuration is now; `undefined`: one that is not taken stands in its place. */
  reconfigured(config: ClusterConfig | undefined): void
  /** Drains; a second call waits for the first. */
  close(): Promise<void>
}

const CLOSE_DEADLINE_MS = 10_000

/** What is wrong with a body, told at once. */
const answerFault = (
  { reason, status, error }: BodyFault,
  response: Response,
  { options, telemetry }: Pick<Served, 'options' | 'telemetry'>,
): void => {
  telemetry.failed(reason)
  options.log.warn('no review', { status, cause: error })
  response.status(status).json({ error })
}

/** One of the ways to answer a review. */
type Way = (body: Uint8Array, options: WebhookOptions) => Promise<Answered>

interface Served {
  readonly options: WebhookOptions
  readonly telemetry: Telemetry
  /** What is being read, on all ways together. */
  readonly held: HeldBodies
  readonly queue: ReviewQueue
}

const answerBody = async (
  { bytes, ...arrival }: Arrival & Pick<HeldBody, 'bytes'>,
  response: Response,
  served: Served,
  way: Way,
): Promise<void> => {
  const { options, telemetry, queue } = served
  const start = options.now()
  const { waitedMs, result } = await queue.run(arrival, () => way(bytes, options))
  telemetry.waited(waitedMs / 1000)
  if (!result) return answerFault(LATE, response, served)
  const { answer, busyMs } = await result
  telemetry.judged(busyMs / 1000)
  if (!answer.ok) {
    const { message, reason } = answer.error
    telemetry.failed('malformed')
    options.log.warn('no review', { reason, cause: message })
    response.status(400).json({ error: message })
    return
  }
  const sent = sendAnswer(response, answer.value.document)
  const ms = options.now() - start
  telemetry.reviewed(answer.value.decision, answer.value.reason, ms / 1000)
  telemetry.broken(answer.value.breaches)
  logReview(options.log, answer.value, ms)
  // Until then it takes room, as its body has.
  await sent
}

const answerBy =
  (served: Served, way: Way): RequestHandler =>
  async (request, response) => {
    const cameMs = served.options.now()
    const body = await readBody(request, served.held)
    if (!body.ok) return answerFault(body.error, response, served)
    try {
      const { bytes, namespace } = body.value
      await answerBody({ bytes, namespace, cameMs }, response, served, way)
    } finally {
      body.value.release()
    }
  }

const ALLOWING: ReadonlySet<string> = new Set(['inject', 'propagate', 'skip', 'allow', 'ignore'])

/** One line a review: whoever asks why a pod was changed, or was not, or who has entered one, finds it here. */
const logReview = (log: Log, answer: Answer, ms: number): void => {
  const { decision, reason, cause, recorded, origin } = answer
  const level = ALLOWING.has(decision) ? 'info' : 'warn'
  const fields = { decision, reason, cause, recorded, ...origin }
  log[level]('reviewed', { ...fields, ms: Math.round(ms * 10) / 10 })
}

const answerError =
  ({ log }: WebhookOptions, telemetry: Telemetry): ErrorRequestHandler =>
  (error: unknown, _request, response, _next) => {
    telemetry.failed('internal')
    log.error('review failed', { status: 500, error: messageOf(error) })
    response.status(500).json({ error: 'internal error' })
  }

const admissionApp = (
  options: WebhookOptions,
  telemetry: Telemetry,
  isClosing: () => boolean,
): Express => {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use((_request, response, next) => {
    if (isClosing()) response.set('Connection', 'close')
    next()
  })
  const { memoryLimitBytes = 0, now } = options
  const held = new HeldBodies(heldWithin(memoryLimitBytes))
  const queue = new ReviewQueue(now)
  telemetry.watchQueue({ waiting: () => queue.waiting, heldBytes: () => held.bytes })
  const served = { options, telemetry, held, queue }
  app.post('/mutate', answerBy(served, mutate))
  app.post('/validate', answerBy(served, validate))
  app.use((_request, response) => {
    response.status(404).json({ error: 'there is only POST /mutate and POST /validate' })
  })
  app.use(answerError(options, telemetry))
  return app
}

/** Health and metrics; `weakness`: why it is not ready. */
export const adminApp = (
  telemetry: Pick<Telemetry, 'registry'>,
  weakness: () => string | undefined,
): Express => {
  const app = express()
  app.disable('x-powered-by')
  app.get('/livez', (_request, response) => {
    response.type('text/plain').send('ok\n')
  })
  app.get('/readyz', (_request, response) => {
    const why = weakness()
    response.status(why === undefined ? 200 : 503)
    response.type('text/plain').send(`${why ?? 'ok'}\n`)
  })
  app.get('/metrics', async (_request, response) => {
    const text = await telemetry.registry.metrics()
    response.type(telemetry.registry.contentType).send(text)
  })
  return app
}

const endOf = (certificatePem: string): Date =>
  new Date(new X509Certificate(certificatePem).validTo)

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Opens both ports; the caller closes them. */
export const startServer = async (options: WebhookOptions): Promise<Webhook> => {
  const telemetry = createTelemetry(options.followers)
  const showRelaxed = ({ floor }: ClusterConfig): void => {
    const relaxed = relaxations(floor)
    telemetry.relaxed(relaxed)
    for (const name of relaxed) options.log.warn('the floor is relaxed', { relaxation: name })
  }
  showRelaxed(options.config())
  const show = ({ certificatePem, authorityPem }: Certificate): void =>
    telemetry.certificateUntil(endOf(certificatePem), authorityPem && shortDigest(authorityPem))
  show(options.certificate)
  let closing: Promise<void> | undefined
  const isClosing = (): boolean => closing !== undefined
  const admission = createTlsServer(
    admissionApp(options, telemetry, isClosing),
    options.certificate,
  )
  const { isCertificateValid = () => true } = options
  const weakness = (): string | undefined => {
    if (isClosing()) return 'closing'
    return isCertificateValid() ? undefined : 'the certificate is not valid now'
  }
  const admin = createPlainServer(adminApp(telemetry, weakness))
  const servers = [admission, admin]
  const closeAll = async (): Promise<void> => {
    for (const server of servers) await drain(server, CLOSE_DEADLINE_MS)
  }
  try {
    const port = await listen(admission, options.port, options.host)
    const adminPort = await listen(admin, options.adminPort, options.host)
    return {
      port,
      adminPort,
      telemetry,
      renew: (certificate) => {
        const { certificatePem: cert, privateKeyPem: key } = certificate
        admission.setSecureContext({ cert, key, minVersion: 'TLSv1.2' })
        show(certificate)
      },
      authorities: (ends) => telemetry.authoritiesUntil(ends),
      reconfigured: (config) => {
        telemetry.reconfigured(config !== undefined)
        if (config) showRelaxed(config)
      },
      close() {
        closing ??= wait(options.drainDelayMs).then(closeAll)
        return closing
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}
