// Keeps a serving certificate current: a short leaf in memory, signed anew when two thirds of its
// life have passed, with jitter so that replicas do not do it together. A failed renewal is tried
// again soon and reported; the old leaf goes on serving until it works.

import { createKeyPair } from './keys.ts'
import { signLeaf, type Authority, type Leaf } from './x509.ts'

export const LEAF_LIFETIME_MS = 7 * 86_400_000
const RETRY_MS = 60_000
const JITTER = 0.1

export interface LeafOptions {
  readonly authority: Authority
  readonly names: readonly [string, ...string[]]
  readonly lifetimeMs: number
  readonly now: () => Date
  readonly randomBytes: (size: number) => Uint8Array
}

/** Signs a fresh leaf with a fresh key. */
export const createLeaf = async (options: LeafOptions): Promise<Leaf> =>
  signLeaf(options.authority, {
    keys: await createKeyPair(),
    now: options.now(),
    serial: options.randomBytes(16),
    lifetimeMs: options.lifetimeMs,
    names: options.names,
  })

/** How long from `now` until a leaf is renewed; `random` is in [0, 1). */
export const renewalDelayMs = (leaf: Leaf, now: Date, random: number): number => {
  const life = leaf.notAfter.getTime() - leaf.notBefore.getTime()
  const due = leaf.notBefore.getTime() + life * (2 / 3 + (random - 0.5) * JITTER)
  return Math.max(0, due - now.getTime())
}

export interface RenewalOptions {
  readonly leaf: Leaf
  readonly create: () => Promise<Leaf>
  readonly onLeaf: (leaf: Leaf) => void
  readonly onError: (error: unknown) => void
  readonly now: () => Date
  readonly random: () => number
  /** Calls back after a delay; returns how to cancel that. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
}

/** Renews for ever, until closed. */
export const keepRenewing = (options: RenewalOptions): { close(): void } => {
  const { create, onLeaf, onError, now, random, schedule } = options
  let isClosed = false
  let cancel = (): void => undefined
  const arm = (delayMs: number): void => {
    if (!isClosed) cancel = schedule(() => void renew(), delayMs)
  }
  const renew = async (): Promise<void> => {
    try {
      const leaf = await create()
      if (isClosed) return
      onLeaf(leaf)
      arm(renewalDelayMs(leaf, now(), random()))
    } catch (error) {
      onError(error)
      arm(RETRY_MS)
    }
  }
  arm(renewalDelayMs(options.leaf, now(), random()))
  return {
    close() {
      isClosed = true
      cancel()
    },
  }
}
