// Whether a shim may serve us, and what is weak where it may all the same. Pure. Fails closed: a server with our uid
// could read our memory, and children that the kernel does not keep apart could read each other's.

import type { Peer } from './connection.ts'

interface Weakness {
  readonly what: string
  readonly remedy: string
}

const weaknessIn = (
  { uid, landlockAbi }: Peer,
  ownUid: number | undefined,
): Weakness | undefined => {
  if (uid === ownUid) {
    return {
      what: `the server runs with the sidecar's uid ${uid}`,
      remedy: 'give it another (runAsUser, or outrigger.dev/run-as-user)',
    }
  }
  if (uid === 0) {
    return {
      what: 'the server runs as root',
      remedy: 'give it another uid (outrigger.dev/run-as-user)',
    }
  }
  return landlockAbi === 0
    ? {
        what: 'the kernel has no Landlock, so that server processes cannot be kept apart',
        remedy: 'allow isolation "advisory" in the cluster configuration, or use another kernel',
      }
    : undefined
}

/** The sentence that refuses a shim; undefined where it may serve. */
export const admitShim = (
  peer: Peer,
  isolation: 'require' | 'advisory',
  ownUid: number | undefined,
): string | undefined => {
  if (isolation === 'advisory') return undefined
  const weakness = weaknessIn(peer, ownUid)
  return weakness && `${weakness.what}: ${weakness.remedy}`
}

/** What does not hold for a shim that serves because isolation is only advisory; undefined where all does. */
export const weaknessOf = (peer: Peer, ownUid: number | undefined): string | undefined =>
  weaknessIn(peer, ownUid)?.what
