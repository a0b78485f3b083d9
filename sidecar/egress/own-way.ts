// The sidecar's own way through a company's proxy: for issuers' keys, what they say of tokens, bundles, and collectors. A bundle of
// its own.

import { addressOf } from '../../shared/address.ts'
import { fail, ok } from '../../shared/result.ts'
import type { EgressConfig } from '../../shared/sidecar-config.ts'
import type { OwnWay } from '../identity/own-way.ts'
import { clusterHere, parentOf } from './parent-config.ts'
import { dial, type Waiting } from './reach/dial.ts'
import type { Host } from './reach/judge.ts'
import { throughParent, type ParentMeans, type ParentProxy } from './reach/parent.ts'
import { Names } from './reach/resolver.ts'

/** As long as a server's own connection may take. */
const CONNECT_MS = 10_000
/** Beside those of server processes nobody has this one. */
const KEY = 'sidecar'

/** Whoever waits until a signal fires. */
const waitingFor = (signal: AbortSignal): Waiting => ({
  get destroyed() {
    return signal.aborted
  },
  once: (_event, listener) => signal.addEventListener('abort', listener, { once: true }),
  off: (_event, listener) => signal.removeEventListener('abort', listener),
})

const hostOf = (text: string): Host => {
  const address = addressOf(text)
  return address ? { kind: 'address', address } : { kind: 'name', name: text }
}

export const wayThrough =
  (parent: ParentProxy, means: ParentMeans): OwnWay =>
  async ({ host, port }, signal) => {
    const asker = { ms: CONNECT_MS, waiting: waitingFor(signal), key: KEY }
    const socket = await throughParent(parent, { host: hostOf(host), port }, means, asker)
    return socket.ok ? ok(socket.value) : fail(socket.error.words)
  }

/** Undefined where no proxy is configured; rejects where its authorities cannot be read. */
export const openOwnWay = async (
  egress: EgressConfig,
  now: () => number,
): Promise<OwnWay | undefined> => {
  const parent = await parentOf(egress, await clusterHere())
  return parent && wayThrough(parent, { resolve: new Names(now).resolve, dial })
}
