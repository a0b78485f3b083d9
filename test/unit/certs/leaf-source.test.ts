import { describe, expect, test } from '@jest/globals'
import { keepRenewing, renewalDelayMs, type RenewalOptions } from '../../../certs/leaf-source.ts'
import type { Leaf } from '../../../certs/x509.ts'

const HOUR_MS = 3_600_000
const START = new Date('2026-11-23T00:00:00Z')
const later = (hours: number): Date => new Date(START.getTime() + hours * HOUR_MS)

const leafOf = (name: string, from = START, hours = 90): Leaf => ({
  certificatePem: name,
  privateKeyPem: '',
  authorityPem: '',
  notBefore: from,
  notAfter: new Date(from.getTime() + hours * HOUR_MS),
})

describe('renewalDelayMs', () => {
  test.each([
    ['two thirds of its life', START, 0.5, 60],
    ['earlier by jitter', START, 0, 55.5],
    ['later by jitter', START, 0.999_999, 64.5],
    ['less where time has passed', later(50), 0.5, 10],
    ['at once where it is overdue', later(80), 0.5, 0],
    ['at once where it has expired', later(200), 0.5, 0],
  ])('%s', (_name, now, random, hours) => {
    expect(renewalDelayMs(leafOf('a'), now, random) / HOUR_MS).toBeCloseTo(hours, 3)
  })
})

describe('keepRenewing', () => {
  /** A clock that only the test moves: one scheduled call at a time. */
  const bench = (create: () => Promise<Leaf>) => {
    const scheduled: { callback: () => void; delayMs: number; isCancelled: boolean }[] = []
    const events: string[] = []
    let settle = (): void => undefined
    let changed = new Promise<void>((resolve) => {
      settle = resolve
    })
    const options: RenewalOptions = {
      leaf: leafOf('first'),
      create,
      onLeaf: (leaf) => events.push(leaf.certificatePem),
      onError: () => events.push('error'),
      now: () => START,
      random: () => 0.5,
      schedule: (callback, delayMs) => {
        const entry = { callback, delayMs, isCancelled: false }
        scheduled.push(entry)
        settle()
        changed = new Promise((resolve) => {
          settle = resolve
        })
        return () => {
          entry.isCancelled = true
        }
      },
    }
    const renewal = keepRenewing(options)
    /** Fires the latest timer and waits until the next one is set. */
    const fire = async (): Promise<void> => {
      const next = changed
      scheduled.at(-1)?.callback()
      await next
    }
    return { renewal, scheduled, events, fire }
  }

  test('renews again and again', async () => {
    let count = 0
    const { renewal, scheduled, events, fire } = bench(() => {
      count += 1
      return Promise.resolve(leafOf(`leaf ${count}`))
    })
    await fire()
    await fire()
    renewal.close()
    expect(events).toEqual(['leaf 1', 'leaf 2'])
    expect(scheduled.map(({ delayMs }) => delayMs / HOUR_MS)).toEqual([60, 60, 60])
    expect(scheduled.at(-1)?.isCancelled).toBe(true)
  })

  test('a failure is told and tried again in a minute', async () => {
    let isDown = true
    const { renewal, scheduled, events, fire } = bench(() => {
      const leaf = isDown ? Promise.reject(new Error('down')) : Promise.resolve(leafOf('second'))
      isDown = false
      return leaf
    })
    await fire()
    expect(events).toEqual(['error'])
    expect(scheduled.at(-1)?.delayMs).toBe(60_000)
    await fire()
    renewal.close()
    expect(events).toEqual(['error', 'second'])
  })

  test('a leaf that comes after the close is dropped', async () => {
    let deliver = (_leaf: Leaf): void => undefined
    const made = new Promise<Leaf>((resolve) => {
      deliver = resolve
    })
    const { renewal, scheduled, events } = bench(() => made)
    scheduled.at(-1)?.callback()
    renewal.close()
    deliver(leafOf('late'))
    await made
    expect(events).toEqual([])
    expect(scheduled).toHaveLength(1)
  })
})
