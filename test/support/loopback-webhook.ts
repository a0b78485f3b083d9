// The webhook as it serves, in this process and on free ports of loopback, with what a test has otherwise.

import { afterEach, beforeAll } from '@jest/globals'
import type { Leaf } from '../../certs/x509.ts'
import { EMPTY_INDEX } from '../../shared/image-index.ts'
import type { JsonObject } from '../../shared/json.ts'
import { createLog } from '../../shared/log.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { createLoopbackCertificate } from '../../webhook/embedded.ts'
import { startServer, type Webhook, type WebhookOptions } from '../../webhook/server.ts'
import { clusterConfig } from './cluster-config.ts'

/** A configuration where anybody may call, unless the floor says otherwise. */
export const configWith = (floor: JsonObject = {}): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    floor: { allowAnonymous: true, ...floor },
  })

/** The caller closes it. */
export const startOnLoopback = (
  certificate: Leaf,
  more: Partial<WebhookOptions> = {},
): Promise<Webhook> => {
  const config = configWith()
  return startServer({
    config: () => config,
    images: () => EMPTY_INDEX,
    namespaces: { get: (name) => Promise.resolve({ name, labels: {}, annotations: {} }) },
    certificate,
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    log: createLog({ level: 'error', write: () => undefined, now: Date.now }),
    drainDelayMs: 0,
    now: () => performance.now(),
    ...more,
  })
}

/** For tests of which each starts its own: closed behind it, and with one certificate for all in a file. */
export const eachWebhook = () => {
  const started: Webhook[] = []
  let certificate: Leaf

  beforeAll(async () => {
    certificate = await createLoopbackCertificate()
  }, 60_000)

  afterEach(async () => {
    for (const webhook of started.splice(0)) await webhook.close()
  })

  return {
    certificate: () => certificate,
    start: async (more: Partial<WebhookOptions> = {}): Promise<Webhook> => {
      const webhook = await startOnLoopback(certificate, more)
      started.push(webhook)
      return webhook
    },
  }
}
