// How many exchanges are with other replicas at once, and whose.

import { describe, expect, test } from '@jest/globals'
import { verifiedPrincipal, type Principal } from '../../../../sidecar/access/principal.ts'
import type { Passage } from '../../../../sidecar/pipeline/stage.ts'
import { Hops } from '../../../../sidecar/replicas/hops.ts'
import { Keyring } from '../../../../sidecar/replicas/keys.ts'
import { aPassage } from '../../../support/fake-exchange.ts'

const known = (subject: string): Principal =>
  verifiedPrincipal({
    issuer: 'https://issuer.example',
    subject,
    client: undefined,
    scopes: [],
    groups: [],
    actors: [],
  })
/** By tokens that say different things of the same one. */
const given = (subject: string): readonly Principal[] => {
  const one = { ...known(subject), person: subject }
  return [
    { ...one, key: `${subject} a` },
    { ...one, key: `${subject} b` },
  ]
}
const ANYBODY: Principal = { key: 'anonymous' }

const asked = (method: string, principal: Principal | undefined): Passage => {
  const passage = { ...aPassage(), principal }
  passage.request.method = method
  return passage
}

type Fixture = { readonly hops: Hops; readonly release: () => void }

/** Nobody knows yet whether a replica is there. */
const waiting = (): Fixture => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const hops = new Hops({
    keyring: new Keyring(() => 0),
    members: { has: () => promise },
    port: 1,
    forwarded: undefined,
    now: () => 0,
    wallMs: () => 0,
  })
  return { hops, release: () => resolve(false) }
}

const FULL = { code: 'no-capacity' }

describe('at once', () => {
  test.each([
    ['calls', 'POST', [ANYBODY], 512],
    ['streams that listen', 'GET', [ANYBODY], 384],
    ['calls of one caller who is known', 'POST', [known('ada')], 256],
    ['of one, whatever its processes are given', 'POST', given('ada'), 256],
  ])('so many %s', async (_name, method, callers, most) => {
    const { hops, release } = waiting()
    let count = 0
    const send = () =>
      hops.send(asked(method, callers[count++ % callers.length]), '10.0.0.2', undefined)
    const all = Array.from({ length: most }, send)
    expect(await send()).toMatchObject(FULL)
    expect(hops.figures.hops.get('full')).toBe(1)
    release()
    expect(new Set(await Promise.all(all))).toEqual(new Set([undefined]))
    expect(hops.figures.hops.get('gone')).toBe(most)
    expect(hops.figures.open()).toBe(0)
    expect(await send()).toBeUndefined()
  })

  test('where one caller has all that is his, another finds room', async () => {
    const { hops, release } = waiting()
    const send = (who: string) => hops.send(asked('POST', known(who)), '10.0.0.2', undefined)
    const all = Array.from({ length: 256 }, () => send('ada'))
    expect(await send('ada')).toMatchObject(FULL)
    const { key, ...ada } = known('ada')
    const values = { ...ada, key: `${key} and values`, person: key }
    expect(await hops.send(asked('POST', values), '10.0.0.2', undefined)).toMatchObject(FULL)
    const other = send('bob')
    release()
    await Promise.all(all)
    expect(await other).toBeUndefined()
  })

  test('where many listen, calls find room; and only those are in flight', async () => {
    const { hops, release } = waiting()
    const send = (method: string) => hops.send(asked(method, ANYBODY), '10.0.0.2', undefined)
    const all = Array.from({ length: 384 }, () => send('GET'))
    const call = send('POST')
    expect(hops.inFlight).toBe(1)
    release()
    await Promise.all(all)
    expect(await call).toBeUndefined()
    expect(hops.inFlight).toBe(0)
  })
})

test('nobody goes nowhere', async () => {
  const { hops } = waiting()
  const found = await hops.send(asked('POST', undefined), '10.0.0.2', undefined)
  expect(found).toMatchObject({ code: 'unauthenticated' })
})
