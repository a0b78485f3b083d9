// Which addresses a Service names: asked once however many want to know, kept for a moment, waited for where one may be new.

import { describe, expect, test } from '@jest/globals'
import { Members, type ResolveService } from '../../../../sidecar/replicas/members.ts'

type Fixture = {
  readonly members: Members
  named: readonly string[]
  fault: string | undefined
  asked: number
  nowMs: number
}

const aService = (named: readonly string[], whileAsking = (): void => undefined): Fixture => {
  const resolve: ResolveService = async (service) => {
    expect(service).toBe('echo.team-a.svc')
    fixture.asked++
    whileAsking()
    if (fixture.fault !== undefined) {
      throw Object.assign(new Error(fixture.fault), { code: fixture.fault })
    }
    return fixture.named
  }
  const fixture: Fixture = {
    members: new Members({
      service: 'echo.team-a.svc',
      resolve,
      now: () => fixture.nowMs,
      sleep: async (ms) => {
        fixture.nowMs += ms
      },
    }),
    named,
    fault: undefined,
    asked: 0,
    nowMs: 0,
  }
  return fixture
}

test('what it names is known for a moment, in one spelling', async () => {
  const service = aService(['10.0.0.1', 'FD00:0::1'])
  expect(await service.members.has('10.0.0.1')).toBe(true)
  expect(service.members.has('fd00::1')).toBe(true)
  expect(service.asked).toBe(1)
  service.nowMs += 2000
  expect(await service.members.has('fd00::1')).toBe(true)
  expect(service.asked).toBe(2)
})

test('many who want to know at once ask once', async () => {
  const service = aService(['10.0.0.1'])
  const all = await Promise.all(
    Array.from({ length: 50 }, async () => service.members.has('10.0.0.1')),
  )
  expect(all).toEqual(Array.from({ length: 50 }, () => true))
  expect(service.asked).toBe(1)
})

test('who was there and is not any more is gone at once', async () => {
  const service = aService(['10.0.0.1', '10.0.0.2'])
  await service.members.has('10.0.0.1')
  service.named = ['10.0.0.1']
  service.nowMs += 2000
  expect(await service.members.has('10.0.0.2')).toBe(false)
  expect(service.nowMs).toBe(2000)
})

test('who has just come is waited for', async () => {
  const service = aService(['10.0.0.1'], () => {
    if (service.asked === 5) service.named = ['10.0.0.1', '10.0.0.3']
  })
  expect(await service.members.has('10.0.0.3')).toBe(true)
  expect(service.asked).toBe(5)
})

test('who never comes is waited for once, and not for long', async () => {
  const service = aService(['10.0.0.1'])
  expect(await service.members.has('169.254.169.254')).toBe(false)
  expect(service.nowMs).toBe(6000)
  const { asked } = service
  expect(await service.members.has('169.254.169.254')).toBe(false)
  expect(service.nowMs).toBe(6000)
  expect(service.asked).toBe(asked + 1)
})

test('many who wait for the same one wait together', async () => {
  const service = aService([])
  const all = Array.from({ length: 20 }, async () => service.members.has('10.0.0.9'))
  expect(new Set(await Promise.all(all))).toEqual(new Set([false]))
  expect(service.asked).toBeLessThan(20)
})

describe('where the name servers', () => {
  test('say nothing for a while, those are there that were', async () => {
    const service = aService(['10.0.0.1'])
    await service.members.has('10.0.0.1')
    service.fault = 'ETIMEOUT'
    service.nowMs += 29_999
    expect(await service.members.has('10.0.0.1')).toBe(true)
    service.nowMs += 1
    expect(await service.members.has('10.0.0.1')).toBe(false)
  })

  test('say that there is nobody, nobody is', async () => {
    const service = aService(['10.0.0.1'])
    await service.members.has('10.0.0.1')
    service.fault = 'ENOTFOUND'
    service.nowMs += 2000
    expect(await service.members.has('10.0.0.1')).toBe(false)
  })

  test('name what is no address, that is nobody', async () => {
    const service = aService(['localhost', '', '10.0.0.1%eth0', '10.0.0.1'])
    expect(await service.members.has('10.0.0.1')).toBe(true)
    expect(await service.members.has('localhost')).toBe(false)
  })

  test('name very many, most of them are nobody', async () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `10.1.${at >> 8}.${at & 255}`)
    const service = aService(many)
    expect(await service.members.has('10.1.0.1')).toBe(true)
    expect(await service.members.has('10.1.39.0')).toBe(false)
  })
})

test('those who are there are known before anybody asks for them', async () => {
  const service = aService(['10.0.0.1', '10.0.0.2'])
  service.members.keep()
  service.members.keep()
  expect(await service.members.has('10.0.0.1')).toBe(true)
  expect(service.asked).toBe(1)
  service.named = ['10.0.0.1']
  service.nowMs += 10_000
  expect(await service.members.has('10.0.0.2')).toBe(false)
  expect(service.nowMs).toBe(10_000)
})
