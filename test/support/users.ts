// The two users of a pod, for tests that run as root: what the sidecar's does and what a server process's does.

export const SIDECAR_UID = 21_520
export const SERVER_UID = 10_001
export const OWN_UID = process.getuid?.() ?? 0
export const IS_ROOT = OWN_UID === 0

/** Does something as a user; only root can be another. Never across an await: the user is this process's. */
export const asUser = <T>(uid: number, action: () => T): T => {
  if (OWN_UID === uid) return action()
  process.seteuid?.(uid)
  try {
    return action()
  } finally {
    process.seteuid?.(OWN_UID)
  }
}
