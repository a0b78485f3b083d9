// Whether a shim may serve us, and what is weak where it may all the same. Pure. Fails closed: a server with our uid
// could read our memory, and children that the kernel does not keep apart could read each other's.

import type { Peer } from './connection.ts'
import type { Confining } from './outfit.ts'

interface Weakness {
  readonly what: string
  readonly remedy: string
}

/** What the kernel keeps apart by Landlock: a server's children, or one server and what is started beside it. */
const withoutLandlock = ({ hasOneCommand }: Peer): string =>
  hasOneCommand
    ? 'the server can listen by way of processes that the runtime starts beside it'
    : 'server processes cannot be kept apart'

const weaknessIn = (peer: Peer, ownUid: number | undefined): Weakness | undefined => {
  const { uid, landlockAbi } = peer
  if (uid === ownUid) {
    return {
      what: `the server runs with the sidecar's uid ${uid}`,
      remedy:
        'in a pod give it another (runAsUser, or outrigger.dev/run-as-user); on a machine of your own do so for servers that you do not trust',
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
        what: `the kernel has no Landlock, so that ${withoutLandlock(peer)}`,
        remedy:
          'use a kernel with Landlock (Linux 5.13 or newer), or allow isolation "advisory" in the cluster configuration (floor.allowAdvisoryIsolation)',
      }
    : undefined
}

export interface Rules {
  readonly isolation: 'require' | 'advisory'
  readonly ownUid: number | undefined
  /** A shim with one command is expected, which holds it on loopback; else one that starts children. */
  readonly isSupervised: boolean
}

const CANNOT_CONFINE =
  "the kernel of its node, or its runtime, does not let the shim decide about a process's connections"

const MISMATCH =
  "the server's container was started for another configuration than the sidecar: create the pod anew"

/** For whoever asks why the server is not there. */
export const shimRefused = (why: string): string =>
  `the shim in the server's container was refused: ${why}`

/** What a shim does about what its children reach. */
export const confiningOf = ({ uid, canConfine }: Peer): Confining => ({
  uid,
  why: canConfine ? undefined : CANNOT_CONFINE,
})

/** What does not hold for a shim, and what helps; undefined where all does. */
export const weaknessOf = (peer: Peer, ownUid: number | undefined): string | undefined => {
  const weakness = weaknessIn(peer, ownUid)
  return weakness && `${weakness.what}: ${weakness.remedy}`
}

/** The sentence that refuses a shim; undefined where it may serve. */
export const admitShim = (
  peer: Peer,
  { isolation, ownUid, isSupervised }: Rules,
): string | undefined => {
  if (peer.hasOneCommand !== isSupervised) return MISMATCH
  return isolation === 'advisory' ? undefined : weaknessOf(peer, ownUid)
}
