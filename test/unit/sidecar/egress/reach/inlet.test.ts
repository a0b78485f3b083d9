// Memory that is read into: used again by the next connection, and never while somebody's bytes are still to be written from it.

import { Socket } from 'node:net'
import { expect, test } from '@jest/globals'
import { Inlet, Spares } from '../../../../../sidecar/egress/reach/inlet.ts'

const bufferOf = ({ onread }: Inlet): Uint8Array =>
  typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer

/** A connection of which so much comes; the buffer that it came into. */
const read = (inlet: Inlet, length: number, isWritten: boolean): Uint8Array => {
  inlet.start(new Socket(), () => isWritten)
  const buffer = bufferOf(inlet)
  inlet.onread.callback(length, buffer)
  return buffer
}

test('is the next one’s once its connection has ended', () => {
  const spares = new Spares()
  const first = new Inlet(spares)
  const buffer = read(first, 100, true)
  expect(bufferOf(new Inlet(spares))).not.toBe(buffer)
  first.release()
  expect(bufferOf(new Inlet(spares))).toBe(buffer)
})

test('is nobody else’s while it is still written from, whatever becomes of the connection', () => {
  const spares = new Spares()
  const first = new Inlet(spares)
  const buffer = read(first, 100, false)
  first.release()
  first.isFree(new Socket())
  first.release()
  expect(bufferOf(new Inlet(spares))).not.toBe(buffer)
})

test('is one connection’s alone, however often the last has ended', () => {
  const spares = new Spares()
  const first = new Inlet(spares)
  first.release()
  first.release()
  expect(bufferOf(new Inlet(spares))).not.toBe(bufferOf(new Inlet(spares)))
})

test('is large where much comes, and small again where little does or nothing more', () => {
  const spares = new Spares()
  const inlet = new Inlet(spares)
  const small = bufferOf(inlet)
  read(inlet, small.length, true)
  const large = bufferOf(inlet)
  expect(large.length).toBeGreaterThan(small.length)
  read(inlet, 100, true)
  expect(bufferOf(inlet)).toBe(small)
  read(inlet, small.length, true)
  expect(bufferOf(inlet)).toBe(large)
  inlet.release()
  const other = new Inlet(spares)
  read(other, small.length, true)
  expect([small, large]).toContain(bufferOf(other))
})
