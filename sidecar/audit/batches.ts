// Records that have their places in the chain, as the bytes of one write.

import { membersOf, type Chain, type Link } from '../../shared/audit/chain.ts'
import type { Rotated } from './sink.ts'
import type { Turn } from './turn.ts'

export interface Waiting {
  readonly members: string
  readonly timeMs: number
  readonly bytes: number
  /** Hears that it is out. */
  readonly turn: Turn | undefined
}

export interface Taken {
  readonly records: readonly Waiting[]
  readonly bytes: number
}

/** What is being written: records that have their place already. */
export interface Batch {
  rest: Buffer
  readonly records: readonly Waiting[]
  readonly bytes: number
  readonly last: Link
  /** Another file begins with it. */
  rotated: Rotated | undefined
}

/** For what calls wait for: a batch of theirs is a few kilobytes. */
const ROOM_BYTES = 128 * 1024

export class Batches {
  private readonly chain: Chain
  private readonly wallMs: () => number
  private room: Buffer | undefined

  constructor(chain: Chain, wallMs: () => number) {
    this.chain = chain
    this.wallMs = wallMs
  }

  /** Gives records their places. */
  of({ records, bytes }: Taken, rotated?: Rotated): Batch {
    const { chain, wallMs } = this
    let text = ''
    if (rotated) {
      const { file, oldest = { instance: chain.instance, seq: chain.last.seq + 1 } } = rotated
      text = chain.line(membersOf({ event: 'rotation', file, oldest }), wallMs())
    }
    for (const { members, timeMs } of records) text += chain.line(members, timeMs)
    return { rest: Buffer.from(text), records, bytes, last: chain.last, rotated }
  }

  /**
   * The same in bytes that the next such batch takes, too: to be asked for when the last one is out. Memory of their own
   * costs those of a call half as much again as all that is written there (`bench -- telemetry`).
   */
  inTurn({ records, bytes }: Taken): Batch {
    const { chain } = this
    this.room ??= Buffer.allocUnsafeSlow(ROOM_BYTES)
    const { room } = this
    let [end, isFull, text] = [0, false, '']
    for (const { members, timeMs } of records) {
      const next = isFull ? end : chain.put(members, timeMs, room, end)
      isFull = next === end
      if (isFull) text += chain.line(members, timeMs)
      end = next
    }
    const own = room.subarray(0, end)
    const rest = isFull ? Buffer.concat([own, Buffer.from(text)]) : own
    return { rest, records, bytes, last: chain.last, rotated: undefined }
  }
}
