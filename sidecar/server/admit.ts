// Whether a shim may serve us. Pure. Fails closed: a server with our uid could read our memory, and
// children that the kernel does not keep apart could read each other's.

import type { Peer } from './connection.ts'

/** The sentence that refuses a shim; undefined where it may serve. */
export const admitShim = (
  { uid, landlockAbi }: Peer,
  isolation: 'require' | 'advisory',
  ownUid: number | undefined,
): string | undefined => {
  if (isolation === 'advisory') return undefined
  if (uid === ownUid) {
    return `the server's container runs with the sidecar's uid ${uid}: give it another (runAsUser, or outrigger.dev/run-as-user)`
  }
  if (uid === 0)
    return "the server's container runs as root: give it another uid (outrigger.dev/run-as-user)"
  return landlockAbi === 0
    ? 'the kernel has no Landlock, so that server processes cannot be kept apart: allow isolation "advisory" in the cluster configuration, or use another kernel'
    : undefined
}
