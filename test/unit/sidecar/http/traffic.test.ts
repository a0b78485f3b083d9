// The bytes of connections, while they are open and after their end.

import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import { Traffic } from '../../../../sidecar/http/traffic.ts'

class Counting extends Socket {
  override readonly bytesRead: number
  override readonly bytesWritten: number
  constructor(bytesRead: number, bytesWritten: number) {
    super()
    this.bytesRead = bytesRead
    this.bytesWritten = bytesWritten
  }
}

test('what is open and what has closed, each once', () => {
  const traffic = new Traffic()
  const sockets = [new Counting(10, 1), new Counting(20, 2)]
  for (const socket of sockets) traffic.add(socket)
  expect([traffic.connections, traffic.bytes()]).toEqual([2, { received: 30, sent: 3 }])
  EventEmitter.prototype.emit.call(sockets[0], 'close')
  expect([traffic.connections, traffic.bytes()]).toEqual([1, { received: 30, sent: 3 }])
})
