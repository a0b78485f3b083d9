// One principal with clients of many kinds, each of which needs processes of its own, before a legacy server: how many it has
// together, and who is next.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { permitOf } from '../../../support/principals.ts'
import { REQUEST_MS, TranslatedProcesses } from '../../../support/translated-processes.ts'

const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')

let all: TranslatedProcesses
beforeEach(() => {
  all = new TranslatedProcesses()
})

/** A call of a client that can be asked for this, JSON text. */
const call = (of: string, kind: string, permit: Permit = A): Promise<FakeReply> =>
  all.post(permit, 'tools/call', of, { meta: meta(kind) })
const meta = (kind: string): string => `"io.modelcontextprotocol/clientCapabilities":{${kind}}`

describe('one caller with clients of many kinds', () => {
  const parts = ['', '"form":{}', '"url":{}', '"form":{},"url":{}']
  const KINDS = parts.flatMap((elicitation) =>
    parts.map(
      (sampling) =>
        `"elicitation":{${elicitation}},"sampling":{${sampling.replace('form', 'tools').replace('url', 'context')}}`,
    ),
  )
  let replies: FakeReply[]
  beforeEach(async () => {
    replies = []
    for (const [index, kind] of KINDS.entries()) replies.push(await call(`of ${index}`, kind))
    for (let turns = 0; turns < 20; turns += 1) await all.sweep(200)
  })

  test('has eight processes at work, and others have theirs', async () => {
    expect(all.source.links).toHaveLength(8)
    await call('theirs', '', B)
    expect(all.where('theirs')).toBe(8)
  })

  test('has what is idle end for what waits', async () => {
    await all.answer(3, 'of 3')
    await all.sweep(200)
    await all.sweep(200)
    expect(all.link(3).isClosed).toBe(true)
    expect(all.ends).toEqual(['room'])
    expect(all.where('of 8')).toBe(8)
  })

  test.each(['answered', 'given up'])(
    'has who waited longest go first, also before those of a kind of which a call is %s',
    async (how) => {
      await call('after 3', KINDS[3] ?? '')
      if (how === 'answered') await all.answer(3, 'of 3')
      else await replies[3]?.hangUp()
      for (let turns = 0; turns < 2; turns += 1) await all.sweep(200)
      expect([all.where('of 8'), all.where('after 3')]).toEqual([8, -1])
    },
  )

  test('is told that its processes are busy, also who only wants to know the server', async () => {
    const waits = await call('later', '"roots":{}')
    const looks = await all.post(A, 'server/discover', '', { meta: meta('"roots":{}') })
    await all.sweep(REQUEST_MS)
    for (const reply of [waits, looks]) {
      expect(await reply.body()).toContain("this caller's processes are busy")
    }
  })
})

test('whoever has waited longest is next, of whatever kind its client is', async () => {
  for (let index = 0; index < 12; index += 1) await call(`of ${index}`, '')
  for (let turns = 0; turns < 12; turns += 1) await all.sweep(200)
  expect(all.source.links).toHaveLength(8)
  await call('other', '"roots":{}')
  await all.sweep(200)
  await call('of 12', '')
  // Those who came before the other are served first.
  for (let index = 0; index < 4; index += 1) await all.answer(index, `of ${index}`)
  expect([8, 9, 10, 11].map((index) => all.where(`of ${index}`))).toEqual([0, 1, 2, 3])
  await all.answer(4, 'of 4')
  await all.sweep(200)
  expect([all.where('other'), all.where('of 12')]).toEqual([8, -1])
  await all.answer(5, 'of 5')
  expect(all.where('of 12')).toBe(5)
})
