// The body, whole and bounded, however it is cut.

import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { MAX_BODY_BYTES, readBody } from '../../../../sidecar/http/body.ts'

const arriving = (chunks: readonly Buffer[], declared?: number): IncomingMessage => {
  const request = new IncomingMessage(new Socket())
  if (declared !== undefined) request.headers['content-length'] = `${declared}`
  for (const chunk of chunks) request.push(chunk)
  request.push(null)
  request.complete = true
  return request
}

const MIB = 1024 * 1024
const block = (bytes: number): Buffer => Buffer.alloc(bytes, 'x')

describe('readBody', () => {
  test.each([
    ['nothing', [], ''],
    ['one chunk', ['{}'], '{}'],
    ['several', ['{"a"', ':', '1}'], '{"a":1}'],
    ['cut inside a character', ['é'], 'é'],
  ])('%s', async (_name, chunks, expected) => {
    const bytes = chunks.map((chunk) => Buffer.from(chunk))
    const body = await readBody(arriving(bytes))
    expect(body?.ok && body.value.toString()).toBe(expected)
  })

  test('one byte at a time', async () => {
    const text = '{"a":"éé"}'.repeat(500)
    const body = await readBody(arriving([...Buffer.from(text)].map((byte) => Buffer.of(byte))))
    expect(body?.ok && body.value.toString()).toBe(text)
  })

  test.each([
    ['exactly the bound', [block(MAX_BODY_BYTES)], true],
    ['the bound in chunks', Array<Buffer>(4).fill(block(MIB)), true],
    ['one byte more, in one chunk', [block(MAX_BODY_BYTES + 1)], false],
    ['one byte more, in a last chunk', [...Array<Buffer>(4).fill(block(MIB)), block(1)], false],
    ['far more', Array<Buffer>(12).fill(block(MIB)), false],
  ])('%s', async (_name, chunks, isTaken) => {
    const body = await readBody(arriving(chunks))
    expect(body?.ok).toBe(isTaken)
    if (body?.ok === false) expect(body.error.code).toBe('body-too-large')
  })

  test('a declared length over the bound is refused before anything is read', async () => {
    const request = arriving([block(MIB)], MAX_BODY_BYTES + 1)
    expect(await readBody(request)).toMatchObject({ ok: false, error: { code: 'body-too-large' } })
    expect(request.readableFlowing).toBeNull()
  })

  test('a client that goes has no answer', async () => {
    const request = new IncomingMessage(new Socket())
    request.push(Buffer.from('{'))
    const body = readBody(request)
    request.destroy()
    expect(await body).toBeUndefined()
  })
})
