// For pods that are to complete (Jobs): says when nobody has used the server for the idle time, and with which code
// its container should exit then: that of the server process that ended last.

import type { Log } from '../../shared/log.ts'
import type { McpServer } from '../server/server.ts'

export class IdleExit {
  private readonly idleTimeoutMs: number
  private lastUsedMs: number
  private code = 0

  constructor(idleTimeoutMs: number, nowMs: number) {
    this.idleTimeoutMs = idleTimeoutMs
    this.lastUsedMs = nowMs
  }

  /** A server's container is there, and has all its time. */
  begin(nowMs: number): void {
    this.lastUsedMs = nowMs
    this.code = 0
  }

  /** A server process has ended. */
  ended(code: number): void {
    this.code = code
  }

  /** The code to exit with now; undefined while there is reason to wait. */
  due(isUnused: boolean, nowMs: number): number | undefined {
    if (!isUnused) this.lastUsedMs = nowMs
    if (nowMs - this.lastUsedMs < this.idleTimeoutMs) return undefined
    this.lastUsedMs = nowMs
    return this.code
  }
}

/** Lets the server's container exit, where it is time for that. */
export const complete = (
  code: number | undefined,
  server: Pick<McpServer, 'exit'>,
  log: Log,
): void => {
  if (code === undefined) return
  log.info('nobody has used the server for the idle time; its container may exit', { code })
  void server.exit(code)
}
