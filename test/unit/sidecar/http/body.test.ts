// The body, whole and bounded, however it is cut.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { Budget, type Lease } from '../../../../sidecar/bytes/budget.ts'
import { aBudget } from '../../../support/budgets.ts'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { readBody, type Read } from '../../../../sidecar/http/body.ts'

const arriving = (chunks: readonly Buffer[], declared?: number): IncomingMessage => {
  const request = new IncomingMessage(new Socket())
  if (declared !== undefined) request.headers['content-length'] = `${declared}`
  for (const chunk of chunks) request.push(chunk)
  request.push(null)
  request.complete = true
  return request
}

const MAX_BODY_BYTES = aBudget().sizes.requestBytes
const MIB = 1024 * 1024
const block = (bytes: number): Buffer => Buffer.alloc(bytes, 'x')
const blocks = (count: number): Buffer[] => Array.from({ length: count }, () => block(MIB))

const wholeOf = (...args: readonly [IncomingMessage, Budget]): Promise<Read> =>
  new Promise((resolve) => readBody(...args, resolve))

describe('readBody', () => {
  test.each([
    ['nothing', [], ''],
    ['one chunk', ['{}'], '{}'],
    ['several', ['{"a"', ':', '1}'], '{"a":1}'],
    ['cut inside a character', ['é'], 'é'],
  ])('%s', async (_name, chunks, expected) => {
    const bytes = chunks.map((chunk) => Buffer.from(chunk))
    const body = await wholeOf(arriving(bytes), aBudget())
    expect(body?.ok && body.value.bytes.toString()).toBe(expected)
  })

  test('one byte at a time', async () => {
    const text = '{"a":"éé"}'.repeat(500)
    const body = await wholeOf(
      arriving([...Buffer.from(text)].map((byte) => Buffer.of(byte))),
      aBudget(),
    )
    expect(body?.ok && body.value.bytes.toString()).toBe(text)
  })

  test.each([
    ['exactly the bound', [block(MAX_BODY_BYTES)], true],
    ['the bound in chunks', blocks(4), true],
    ['one byte more, in one chunk', [block(MAX_BODY_BYTES + 1)], false],
    ['one byte more, in a last chunk', [...blocks(4), block(1)], false],
    ['far more', blocks(12), false],
  ])('%s', async (_name, chunks, isTaken) => {
    const body = await wholeOf(arriving(chunks), aBudget())
    expect(body?.ok).toBe(isTaken)
    if (body?.ok === false) expect(body.error.code).toBe('body-too-large')
  })

  test('a declared length over the bound is refused before anything is read', async () => {
    const request = arriving([block(MIB)], MAX_BODY_BYTES + 1)
    expect(await wholeOf(request, aBudget())).toMatchObject({
      ok: false,
      error: { code: 'body-too-large' },
    })
    expect(request.readableFlowing).toBeNull()
  })

  test('what is declared and large is asked for as a whole, and let go by whoever has it', async () => {
    const budget = new Budget(64 * MIB)
    const body = await wholeOf(arriving([block(MIB), block(MIB)], 2 * MIB), budget)
    expect(body?.ok && [body.value.bytes.length, budget.of('bodies')]).toEqual([2 * MIB, 2 * MIB])
    if (body?.ok) body.value.lease?.release()
    expect(budget.of('bodies')).toBe(0)
  })

  test('what came in one piece is not counted', async () => {
    const budget = new Budget(0)
    const body = await wholeOf(arriving([block(1000)], 1000), budget)
    expect(body?.ok && body.value.lease).toBeUndefined()
  })

  test('what is small and incomplete beyond the bound of all is refused at once', async () => {
    expect(await wholeOf(arriving([block(1000)], 2000), new Budget(0))).toMatchObject({
      ok: false,
      error: { code: 'no-memory', headers: { 'retry-after': '5' } },
    })
  })

  const full = (): { readonly budget: Budget; readonly others: readonly Lease[] } => {
    const budget = new Budget(4 * MIB)
    budget.sweep(0)
    const others = [budget.lease('lines'), budget.lease('lines')]
    for (const other of others) other.ask(MIB)
    return { budget, others }
  }

  test('what has no room is not read until there is some', async () => {
    const { budget, others } = full()
    const request = arriving([block(MIB)], MIB)
    const body = wholeOf(request, budget)
    await nextTurn()
    expect([request.isPaused(), budget.waits]).toEqual([true, 1])
    for (const other of others) other.release()
    expect((await body)?.ok).toBe(true)
  })

  test('what has waited for too long is refused', async () => {
    const { budget } = full()
    const body = wholeOf(arriving([block(MIB)], MIB), budget)
    budget.sweep(9999)
    expect(budget.waits).toBe(1)
    budget.sweep(10_000)
    expect(await body).toMatchObject({ ok: false, error: { code: 'no-memory' } })
    expect([budget.waits, budget.ends.bodies]).toEqual([0, 1])
  })

  test('of a client that goes while it waits nothing is left', async () => {
    const { budget } = full()
    const request = arriving([block(MIB)], MIB)
    const body = wholeOf(request, budget)
    request.destroy()
    expect([await body, budget.waits]).toEqual([undefined, 0])
  })

  test('a client that goes has no answer', async () => {
    const request = new IncomingMessage(new Socket())
    request.push(Buffer.from('{'))
    const body = wholeOf(request, aBudget())
    request.destroy()
    expect(await body).toBeUndefined()
  })
})
