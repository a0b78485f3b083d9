// Tells somebody else how far the records have come, standard output or a collector: there it is out of reach of whoever can
// change the file. Where nobody takes it, a checkpoint is left out; the next one holds for it.

import type { KeyObject } from 'node:crypto'
import { checkpointLine } from '../../shared/audit/checkpoint.ts'
import type { Link } from '../../shared/audit/chain.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'

export interface CheckpointsOptions {
  readonly server: string
  readonly everyMs: number
  readonly key: KeyObject | undefined
  readonly wallMs: () => number
  readonly write: (text: string) => Promise<void>
  readonly log: Log
}

export class Checkpoints {
  private readonly options: CheckpointsOptions
  private toldSeq = 0
  private toldMs: number
  /** The one that is on its way. */
  private telling: Promise<void> | undefined

  constructor(options: CheckpointsOptions, nowMs: number) {
    this.options = options
    this.toldMs = nowMs
  }

  sweep(written: Link | undefined, nowMs: number): void {
    if (nowMs - this.toldMs < this.options.everyMs || this.telling) return
    this.toldMs = nowMs
    void this.tell(written)
  }

  /** Behind one that is on its way. Never rejects. */
  async tell(written: Link | undefined): Promise<void> {
    while (this.telling) await this.telling
    if (!written || written.seq === this.toldSeq) return
    this.telling = this.write(written)
    await this.telling
    this.telling = undefined
  }

  private async write(written: Link): Promise<void> {
    const { server, key, wallMs, write, log } = this.options
    try {
      await write(checkpointLine(written, { server, timeMs: wallMs() }, key))
      this.toldSeq = written.seq
    } catch (error) {
      log.warn('a checkpoint of the audit records could not be told', { why: messageOf(error) })
    }
  }
}
