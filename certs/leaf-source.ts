// A replica's own serving certificate: short, signed in memory by the authority, with a new key each time, which never
// leaves the process. When it needs another is a function of time. Pure, but for `createLeaf`, which makes a key.

import { createKeyPair, type KeyPair } from './keys.ts'
import { signLeaf, skewMs, type Authority, type Leaf } from './x509.ts'

export const LEAF_LIFETIME_MS = 7 * 86_400_000
const JITTER = 0.1

export interface LeafOptions {
  readonly authority: Authority
  readonly names: readonly [string, ...string[]]
  readonly lifetimeMs: number
  readonly now: () => Date
  readonly randomBytes: (size: number) => Uint8Array
  readonly createKeys?: () => Promise<KeyPair>
}

/** Signs a fresh leaf with a fresh key. */
export const createLeaf = async (options: LeafOptions): Promise<Leaf> => {
  const { authority, names, lifetimeMs, now, randomBytes, createKeys = createKeyPair } = options
  const keys = await createKeys()
  return signLeaf(authority, { keys, now: now(), serial: randomBytes(16), lifetimeMs, names })
}

/** When a leaf is to be renewed: at two thirds of its life, give or take a twentieth of it, so that replicas part; `random` is in [0, 1). */
export const renewalAt = ({ notBefore, notAfter }: Leaf, random: number): Date => {
  const life = notAfter.getTime() - notBefore.getTime()
  return new Date(notBefore.getTime() + life * (2 / 3 + (random - 0.5) * JITTER))
}

export interface Held {
  readonly leaf: Leaf | undefined
  readonly renewAt: Date
  readonly lifetimeMs: number
}

export interface Signing {
  readonly now: Date
  /** The certificate of the authority that signs now. */
  readonly authorityPem: string
  /** Whether each API server knows that one. */
  readonly isTrusted: boolean
}

export const isValidAt = ({ notBefore, notAfter }: Leaf, now: Date): boolean =>
  notBefore <= now && now < notAfter

/** Why another leaf is signed now; undefined: the one that there is goes on. */
export const whyRenew = (
  { leaf, renewAt, lifetimeMs }: Held,
  { now, authorityPem, isTrusted }: Signing,
): string | undefined => {
  if (!leaf) return 'there is none'
  if (!isValidAt(leaf, now)) return now < leaf.notBefore ? 'it is not valid yet' : 'it has expired'
  const isOther = leaf.authorityPem !== authorityPem
  // Until every API server knows the other authority, what it signs would be refused.
  if (isOther && !isTrusted) return undefined
  if (isOther) return 'another authority signs'
  if (leaf.notAfter.getTime() > now.getTime() + lifetimeMs + skewMs(lifetimeMs))
    return 'its time was wrong'
  return renewAt <= now ? 'it is due' : undefined
}
