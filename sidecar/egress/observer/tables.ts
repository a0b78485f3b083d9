// The kernel's tables of sockets of the network that this process is in.

import { closeSync, openSync, readSync } from 'node:fs'
import type { Table } from './observer.ts'

/** At first; a thousand connections take 150 KB. */
const FIRST_BYTES = 64 * 1024
/** Whoever opens more connections than this must not keep us busy. */
const MAX_BYTES = 2 * 1024 * 1024

const NOTHING = Buffer.alloc(0)

class KernelTable {
  private readonly path: string
  private bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)

  constructor(path: string) {
    this.path = path
  }

  /** Until the next time. A kernel without IPv6 has no table of it. */
  readonly read = (): Buffer => {
    let file
    try {
      file = openSync(this.path, 'r')
    } catch {
      return NOTHING
    }
    try {
      return this.whole(file)
    } catch {
      return NOTHING
    } finally {
      closeSync(file)
    }
  }

  private whole(file: number): Buffer {
    let length = 0
    for (;;) {
      const room = this.bytes.length - length
      const got = room === 0 ? 0 : readSync(file, this.bytes, length, room, null)
      length += got
      if (length < this.bytes.length && got > 0) continue
      if (length < this.bytes.length || length >= MAX_BYTES) return this.bytes.subarray(0, length)
      const larger = Buffer.allocUnsafeSlow(this.bytes.length * 2)
      this.bytes.copy(larger)
      this.bytes = larger
    }
  }
}

const tableAt = (protocol: Table['protocol'], digits: Table['digits'], path: string): Table => ({
  protocol,
  digits,
  read: new KernelTable(path).read,
})

export const kernelTables = (): readonly Table[] => [
  tableAt('tcp', 8, '/proc/net/tcp'),
  tableAt('tcp', 32, '/proc/net/tcp6'),
  tableAt('udp', 8, '/proc/net/udp'),
  tableAt('udp', 32, '/proc/net/udp6'),
]
