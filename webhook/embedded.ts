// The webhook inside another process, for `npm start`, for tests and for trying things: the same
// server and the same decisions, with a throw-away authority and namespaces from memory.

import { randomBytes } from 'node:crypto'
import { createKeyPair } from '../certs/keys.ts'
import { createLeaf, LEAF_LIFETIME_MS } from '../certs/leaf-source.ts'
import { AUTHORITY_LIFETIME_MS, createAuthority } from '../certs/x509.ts'
import type { Log } from '../shared/log.ts'
import type { ClusterConfig } from './config.ts'
import type { Namespaces } from './namespace.ts'
import { startServer } from './server.ts'

export interface EmbeddedOptions {
  readonly config: ClusterConfig
  readonly namespaces: Namespaces
  readonly log: Log
  /** Port 0, the default, picks a free one; the admin port always does. */
  readonly port?: number
}

export interface EmbeddedWebhook {
  /** `https://127.0.0.1:PORT/mutate` */
  readonly url: string
  /** `http://127.0.0.1:PORT`, with /livez, /readyz and /metrics. */
  readonly adminUrl: string
  /** The authority's certificate (PEM) that vouches for the URL's. */
  readonly caBundle: string
  close(): Promise<void>
}

const HOST = '127.0.0.1'

/** Starts the webhook on loopback with a certificate of its own; the caller closes it. */
export const startWebhook = async (options: EmbeddedOptions): Promise<EmbeddedWebhook> => {
  const now = (): Date => new Date()
  const authority = createAuthority({
    keys: await createKeyPair(),
    now: now(),
    serial: randomBytes(16),
    lifetimeMs: AUTHORITY_LIFETIME_MS,
  })
  const leaf = await createLeaf({
    authority,
    names: ['localhost', HOST],
    lifetimeMs: LEAF_LIFETIME_MS,
    now,
    randomBytes,
  })
  const { port = 0, ...rest } = options
  const server = await startServer({
    ...rest,
    certificate: leaf,
    host: HOST,
    port,
    adminPort: 0,
    drainDelayMs: 0,
    now: () => performance.now(),
  })
  return {
    url: `https://${HOST}:${server.port}/mutate`,
    adminUrl: `http://${HOST}:${server.adminPort}`,
    caBundle: authority.certificatePem,
    close: () => server.close(),
  }
}
