// The webhook inside another process, for `npm start`, for tests and for trying things: the same
// server and the same decisions, with a throw-away authority and namespaces from memory.

import { randomBytes } from 'node:crypto'
import { createKeyPair } from '../certs/keys.ts'
import { createLeaf, LEAF_LIFETIME_MS } from '../certs/leaf-source.ts'
import { AUTHORITY_LIFETIME_MS, createAuthority, type Leaf } from '../certs/x509.ts'
import type { Log } from '../shared/log.ts'
import type { ClusterConfig } from './cluster/config.ts'
import type { Namespaces } from './cluster/namespace.ts'
import { startServer } from './server.ts'

export interface EmbeddedOptions {
  readonly config: ClusterConfig
  readonly namespaces: Namespaces
  readonly log: Log
  /** For loopback; made anew where there is none, which takes a moment. */
  readonly certificate?: Leaf
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

/** A throw-away authority and a certificate of it for loopback. */
export const createLoopbackCertificate = async (): Promise<Leaf> => {
  const now = (): Date => new Date()
  const authority = createAuthority({
    keys: await createKeyPair(),
    now: now(),
    serial: randomBytes(16),
    lifetimeMs: AUTHORITY_LIFETIME_MS,
  })
  const names = ['localhost', HOST] as const
  return createLeaf({ authority, names, lifetimeMs: LEAF_LIFETIME_MS, now, randomBytes })
}

/** Starts the webhook on loopback; the caller closes it. */
export const startWebhook = async (options: EmbeddedOptions): Promise<EmbeddedWebhook> => {
  const { config, namespaces, log, port = 0 } = options
  const certificate = options.certificate ?? (await createLoopbackCertificate())
  const server = await startServer({
    config: () => config,
    images: () => config.images,
    namespaces,
    log,
    certificate,
    host: HOST,
    port,
    adminPort: 0,
    drainDelayMs: 0,
    now: () => performance.now(),
  })
  return {
    url: `https://${HOST}:${server.port}/mutate`,
    adminUrl: `http://${HOST}:${server.adminPort}`,
    caBundle: certificate.authorityPem,
    close: () => server.close(),
  }
}
