import { once } from 'node:events'
import { Agent, request } from 'node:https'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import { objectAt, stringAt, type JsonObject } from '../../../shared/json.ts'
import type { Namespace } from '../../../webhook/cluster/namespace.ts'
import type { Webhook, WebhookOptions } from '../../../webhook/server.ts'
import { postReview, reviewOf, type Reply } from '../../support/admission.ts'
import { keptLog } from '../../support/kept-log.ts'
import { configWith, eachWebhook } from '../../support/loopback-webhook.ts'

const pod: JsonObject = {
  metadata: { annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' } },
  spec: { containers: [{ name: 'c', image: 'i', command: ['x'] }] },
}
const namespace: Namespace = { name: 'servers', labels: {}, annotations: {} }
const JSON_TYPE = { 'content-type': 'application/json' }

const { certificate, start } = eachWebhook()

const urlOf = ({ port }: Webhook, path = '/mutate'): string => `https://127.0.0.1:${port}${path}`
const admin = async ({ adminPort }: Webhook, path: string): Promise<readonly [number, string]> => {
  const response = await fetch(`http://127.0.0.1:${adminPort}${path}`)
  return [response.status, await response.text()]
}
const post = (
  to: Webhook,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): Promise<Reply> => postReview(urlOf(to), certificate().authorityPem, body, { headers })

describe('bad input', () => {
  test.each<readonly [string, string | Uint8Array, Readonly<Record<string, string>>, number]>([
    ['not JSON', '{', JSON_TYPE, 400],
    ['a JSON list', '[]', JSON_TYPE, 400],
    ['nothing', '', JSON_TYPE, 400],
    ['another content type', '{}', { 'content-type': 'text/plain' }, 415],
    ['no content type', '{}', {}, 415],
    ['a compressed body', gzipSync('{}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415],
    ['more than 7 MB', 'x'.repeat(7 * 1024 * 1024 + 1), JSON_TYPE, 413],
    ['a body that ends early in a character', Buffer.from([0x7b, 0xc3]), JSON_TYPE, 400],
  ])('%s is refused with words of ours', async (_name, body, headers, status) => {
    const server = await start()
    const reply = await post(server, body, headers)
    expect(reply.status).toBe(status)
    expect(typeof reply.body['error']).toBe('string')
    expect(JSON.stringify(reply.body)).not.toMatch(/node_modules|\.ts|at /)
  })

  test('a body deeper than any stack does not end the process', async () => {
    const server = await start()
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
    const reply = await post(server, `{"apiVersion":"admission.k8s.io/v1","request":${deep}}`)
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect((await post(server, JSON.stringify(reviewOf(pod)))).status).toBe(200)
  })

  test('a pod deeper than any stack is refused, not let through', async () => {
    const server = await start()
    const review = JSON.stringify(reviewOf({ ...pod, deep: 'HERE' }))
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const reply = await post(server, review.replace('"HERE"', deep))
    const response = { uid: '1', allowed: false, status: { code: 413 } }
    expect(reply).toMatchObject({ status: 200, body: { response } })
  })

  test.each([
    ['/', 'POST'],
    ['/mutate', 'GET'],
    ['/metrics', 'GET'],
  ])('there is no %s by %s on the admission port', async (path, method) => {
    const server = await start()
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        urlOf(server, path),
        { method, ca: certificate().authorityPem },
        (reply) => {
          reply.resume()
          resolve(reply.statusCode)
        },
      )
      outgoing.on('error', reject)
      outgoing.end()
    })
    expect(status).toBe(404)
  })
})

describe('more bodies at once than are held', () => {
  /** Sends a body but for its last byte, and hears what comes back. */
  const begin = (to: Webhook, bytes: number, namespace = '') => {
    const outgoing = request(urlOf(to), {
      method: 'POST',
      ca: certificate().authorityPem,
      agent: false,
      headers: { ...JSON_TYPE, 'content-length': String(bytes + 1) },
    })
    const status = new Promise<number | undefined>((resolve) => {
      outgoing.on('response', (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      outgoing.on('error', () => resolve(undefined))
    })
    const told = `{"request":{"namespace":"${namespace}"`
    outgoing.write(Buffer.concat([Buffer.from(told), Buffer.alloc(bytes - told.length, ' ')]))
    return { status, end: (last: string) => outgoing.end(last), leave: () => outgoing.destroy() }
  }

  test('are refused with the reason, small ones are not, and room comes back', async () => {
    const { log: kept, lines } = keptLog()
    const server = await start({ log: kept })
    const large = Array.from({ length: 8 }, (_, index) =>
      begin(server, 6 * 1024 * 1024, `team-${index}`),
    )
    const first = await Promise.race(large.map((each) => each.status))
    expect(first).toBe(503)
    expect((await post(server, JSON.stringify(reviewOf(pod)))).status).toBe(200)
    for (const each of large) each.leave()
    const [, metrics] = await admin(server, '/metrics')
    expect(metrics).toContain('outrigger_admission_failures_total{reason="no-room"}')
    expect(lines.join('')).toContain('too many reviews at once')
    const review = { ...reviewOf(pod), padding: 'y'.repeat(6 * 1024 * 1024) }
    let reply = await post(server, JSON.stringify(review))
    while (reply.status === 503) reply = await post(server, JSON.stringify(review))
    expect(reply).toMatchObject({ status: 200, body: { response: { allowed: true } } })
  })

  test('of one namespace are refused, while others have room', async () => {
    const server = await start()
    const large = Array.from({ length: 4 }, () => begin(server, 6 * 1024 * 1024, 'crowd'))
    expect(await Promise.race(large.map((each) => each.status))).toBe(429)
    const review = { ...reviewOf(pod), padding: 'y'.repeat(6 * 1024 * 1024) }
    expect((await post(server, JSON.stringify(review))).status).toBe(200)
    for (const each of large) each.leave()
    const [, metrics] = await admin(server, '/metrics')
    expect(metrics).toMatch(/outrigger_admission_failures_total\{reason="crowd"\} [1-9]/)
  })

  test('and a body that ends early leaves its room', async () => {
    const server = await start()
    for (let time = 0; time < 8; time += 1) {
      const cut = begin(server, 6 * 1024 * 1024)
      await new Promise((resolve) => setTimeout(resolve, 20))
      cut.leave()
      await cut.status
    }
    const review = { ...reviewOf(pod), padding: 'y'.repeat(6 * 1024 * 1024) }
    let reply = await post(server, JSON.stringify(review))
    while (reply.status === 503) reply = await post(server, JSON.stringify(review))
    expect(reply.status).toBe(200)
  })
})

interface Crowded {
  readonly judge: () => void
  readonly now: () => number
}

describe('more reviews at once than can be judged in time', () => {
  const JUDGING_MS = 50

  /** A webhook that does something more over each review, and its callers on connections that are there before. */
  const crowded = async (
    callers: number,
    { judge, now, ...more }: Crowded & Partial<WebhookOptions>,
  ) => {
    const config = configWith()
    let isCrowded = false
    const server = await start({
      config: () => {
        if (isCrowded) judge()
        return config
      },
      now,
      ...more,
    })
    const agent = new Agent({ keepAlive: true, maxSockets: callers })
    const ask = async (namespace: string) => {
      const body = JSON.stringify(reviewOf(pod, { namespace }))
      const from = now()
      const reply = await postReview(urlOf(server), certificate().authorityPem, body, { agent })
      return { ...reply, ms: now() - from }
    }
    const askAll = (namespace: string, count: number) =>
      Array.from({ length: count }, () => ask(namespace))
    await Promise.all(askAll('early', callers))
    isCrowded = true
    return { server, askAll, close: () => agent.destroy() }
  }

  test('are refused at once, by a status alone, and counted', async () => {
    const { log: kept, lines } = keptLog()
    let nowMs = 0
    const { server, askAll, close } = await crowded(80, {
      log: kept,
      judge: () => (nowMs += JUDGING_MS),
      now: () => nowMs,
    })
    const crowd = await Promise.all(askAll('crowd', 80))
    const [served = [], refused = []] = [200, 503].map((code) =>
      crowd.filter(({ status }) => status === code),
    )
    expect(served.length).toBeGreaterThanOrEqual(5)
    expect(refused.length).toBeGreaterThanOrEqual(5)
    expect(served.length + refused.length).toBe(80)
    expect(served.every(({ body }) => objectAt(body, 'response')['allowed'] === true)).toBe(true)
    // Of no uid, so that nobody takes it for a denial.
    for (const { body } of refused) expect(Object.keys(body)).toEqual(['error'])
    // The API server waits for 5 s.
    expect(Math.max(...crowd.map(({ ms }) => ms))).toBeLessThan(4000)
    const [, metrics] = await admin(server, '/metrics')
    expect(metrics).toContain(`outrigger_admission_failures_total{reason="late"} ${refused.length}`)
    expect(lines.join('')).toContain('has waited too long')
    const [last] = await Promise.all(askAll('crowd', 1))
    expect(last?.status).toBe(200)
    close()
  })

  test('of one namespace leave others their turn', async () => {
    // Between two reviews the callers have their turn; by its clock nobody is late.
    const judge = (): void => {
      for (const from = performance.now(); performance.now() - from < JUDGING_MS;);
    }
    const { askAll, close } = await crowded(40, { judge, now: () => 0 })
    let done = 0
    const crowd = askAll('crowd', 30).map((each) => each.then(() => (done += 1)))
    await Promise.race(crowd)
    const before = done
    const alone = await Promise.all(askAll('alone', 5))
    expect(alone.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    // Theirs come by turns with those of the crowd.
    expect(done - before).toBeLessThanOrEqual(12)
    await Promise.all(crowd)
    close()
  })
})

describe('a connection', () => {
  test.each([
    ['that says nothing', ''],
    ['that begins a handshake and goes no further', '\u0016\u0003\u0001'],
  ])('%s keeps its place for seconds only', async (_name, says) => {
    const { port } = await start()
    const from = performance.now()
    const socket = connect(port, '127.0.0.1', () => socket.write(says, 'latin1'))
    socket.on('error', () => undefined).resume()
    await once(socket, 'close')
    // Node's own patience is two minutes.
    expect(performance.now() - from).toBeLessThan(60_000)
  })
})

describe('serving', () => {
  test('takes a review near the limit', async () => {
    const server = await start()
    const annotations = { ...Object(pod['metadata']).annotations, big: 'x'.repeat(200_000) }
    const object = { ...pod, metadata: { annotations } }
    const review = { ...reviewOf(object), padding: 'y'.repeat(6 * 1024 * 1024) }
    const reply = await post(server, JSON.stringify(review))
    expect(reply).toMatchObject({ status: 200, body: { response: { allowed: true } } })
  })

  test('is alive, ready, and counts by decision', async () => {
    const server = await start()
    await post(server, JSON.stringify(reviewOf(pod)))
    expect(await admin(server, '/livez')).toEqual([200, 'ok\n'])
    expect(await admin(server, '/readyz')).toEqual([200, 'ok\n'])
    const [, metrics] = await admin(server, '/metrics')
    expect(metrics).toContain('outrigger_admission_reviews_total{decision="inject",reason=""} 1')
    expect(metrics).toContain('outrigger_floor_relaxed{relaxation="allowAnonymous"} 1')
    expect(metrics).toMatch(/outrigger_certificate_not_after_seconds 1\d{9}/)
  })

  test.each<readonly [string, Partial<WebhookOptions>, JsonObject]>([
    ['an injection', {}, { level: 'info', decision: 'inject', reason: '' }],
    [
      'a refusal and its cause',
      { namespaces: { get: () => Promise.reject(new Error('403 Forbidden')) } },
      { level: 'warn', decision: 'refuse', reason: 'namespace-unknown', cause: '403 Forbidden' },
    ],
  ])('logs one line of %s', async (_name, more, expected) => {
    const { log, lines } = keptLog()
    const server = await start({ log, ...more })
    await post(server, JSON.stringify(reviewOf({ ...pod, kind: 'Pod' }, { dryRun: true })))
    const entries = lines.map((line): unknown => JSON.parse(line)).map((entry) => Object(entry))
    const reviewed = entries.filter(({ message }) => message === 'reviewed')
    expect(reviewed).toHaveLength(1)
    expect(reviewed[0]).toMatchObject({
      ...expected,
      uid: '1',
      namespace: 'servers',
      kind: 'Pod',
      user: 'system:serviceaccount:kube-system:replicaset-controller',
      dryRun: true,
      ms: expect.any(Number),
    })
  })

  test('copies a workload’s annotations, and counts that apart from injections', async () => {
    const server = await start()
    const metadata = { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } }
    const template = { metadata: { labels: { app: 'web' } }, spec: pod['spec'] ?? null }
    const resource = { group: 'apps', version: 'v1', resource: 'deployments' }
    const review = reviewOf({ metadata, spec: { template } }, { resource })
    const { body } = await post(server, JSON.stringify(review))
    const response = objectAt(body, 'response')
    const patch = Buffer.from(stringAt(response, 'patch') ?? '', 'base64').toString()
    expect(JSON.parse(patch)).toEqual([
      {
        op: 'add',
        path: '/spec/template/metadata/annotations',
        value: {
          'outrigger.dev/inject': 'true',
          'outrigger.dev/workload': '{"version":1,"copied":{"inject":"true"}}',
        },
      },
    ])
    expect(response['warnings']).toEqual([
      expect.stringContaining('pods of Deployment web will be denied'),
      // It is longer than kubectl shows of one.
      'pods of Deployment web will be denied: … none (anybody may call) where floor.allowAnonymous is on',
    ])
    const [, metrics] = await admin(server, '/metrics')
    expect(metrics).toContain('outrigger_admission_reviews_total{decision="propagate",reason=""} 1')
  })

  test('another authority is not trusted', async () => {
    const server = await start()
    const other = await createLoopbackCertificate()
    const attempt = postReview(urlOf(server), other.authorityPem, JSON.stringify(reviewOf(pod)))
    await expect(attempt).rejects.toThrow()
  }, 60_000)

  test('a renewed certificate serves new connections', async () => {
    const server = await start()
    const next = await createLoopbackCertificate()
    server.renew(next)
    const reply = await postReview(urlOf(server), next.authorityPem, JSON.stringify(reviewOf(pod)))
    expect(reply.status).toBe(200)
  }, 60_000)

  test('one that API servers would refuse now makes it not ready', async () => {
    let isCertificateValid = true
    const server = await start({ isCertificateValid: () => isCertificateValid })
    expect((await admin(server, '/readyz'))[0]).toBe(200)
    isCertificateValid = false
    expect(await admin(server, '/readyz')).toEqual([503, 'the certificate is not valid now\n'])
  })

  test('a port that is taken is told, and nothing stays open', async () => {
    const server = await start()
    const { port } = server
    await expect(start({ port })).rejects.toThrow('EADDRINUSE')
  })
})

describe('closing', () => {
  test('fails readiness first, finishes what is in flight, then closes', async () => {
    let answerNamespace = (): void => undefined
    let seen = (): void => undefined
    const arrived = new Promise<void>((resolve) => {
      seen = resolve
    })
    const held = new Promise<Namespace>((resolve) => {
      answerNamespace = () => resolve(namespace)
    })
    const get = (): Promise<Namespace> => {
      seen()
      return held
    }
    const server = await start({ namespaces: { get }, drainDelayMs: 2000 })
    const inFlight = post(server, JSON.stringify(reviewOf(pod)))
    await arrived
    const closing = server.close()
    expect(await admin(server, '/readyz')).toEqual([503, 'closing\n'])
    expect((await admin(server, '/livez'))[0]).toBe(200)
    const late = post(server, JSON.stringify(reviewOf(pod)))
    answerNamespace()
    expect(await late).toMatchObject({ status: 200, body: { response: { allowed: true } } })
    expect(await inFlight).toMatchObject({ status: 200, body: { response: { allowed: true } } })
    await closing
    await expect(post(server, '{}')).rejects.toThrow('ECONNREFUSED')
  })

  test('an idle keep-alive connection does not hold it up', async () => {
    const server = await start()
    const agent = new Agent({ keepAlive: true, ca: certificate().authorityPem })
    await new Promise<void>((resolve, reject) => {
      const outgoing = request(
        urlOf(server),
        { method: 'POST', agent, headers: JSON_TYPE },
        (reply) => {
          reply.resume()
          reply.on('end', resolve)
        },
      )
      outgoing.on('error', reject)
      outgoing.end(JSON.stringify(reviewOf(pod)))
    })
    await server.close()
    agent.destroy()
    await expect(post(server, '{}')).rejects.toThrow('ECONNREFUSED')
  })
})
