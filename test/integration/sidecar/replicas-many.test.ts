// Many sessions behind a balancer that knows none, while a replica goes and another comes: no call of a session that lives is
// lost or answered by another's, and one whose replica has gone is told so. `OUTRIGGER_SESSIONS`: how many.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openLegacy, toolCall, type LegacySession } from '../../support/puppet.ts'
import { JSON_HEADERS, send } from '../../support/raw-http.ts'
import { holderOf, Workload } from '../../support/workload.ts'

const SESSIONS = Number(process.env['OUTRIGGER_SESSIONS'] ?? 60)
const AT_ONCE = 50

let workload: Workload
beforeAll(async () => {
  const settings = { 'process-model': 'shared' }
  const document = { settings }
  workload = await new Workload({ document }).begin(3)
})
afterAll(() => workload.stop())

/** All of them, a few at a time. */
const each = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))))
  }
  return results
}

let round = 0

type Told = { readonly holder: string; readonly right: boolean; readonly status: number }

/** Calls each session once, with words that are its alone; a balancer that is there never breaks off. */
const callAll = (sessions: readonly LegacySession[]): Promise<Told[]> => {
  round++
  return each(sessions, async ({ id, post }) => {
    const text = `${id} ${round}`
    const reply = await post(toolCall('echo', { text })).catch(() => ({ status: 0, text: '' }))
    return { holder: holderOf(id), right: reply.text.includes(`"${text}"`), status: reply.status }
  })
}

test(`${SESSIONS} sessions and as many new ones: no call of a living one is lost`, async () => {
  const numbers = Array.from({ length: SESSIONS }, (_, number) => number)
  const sessions = await each(numbers, () => openLegacy(workload.url))
  expect(new Set(sessions.map(({ id }) => holderOf(id))).size).toBe(3)
  for (let count = 0; count < 3; count++) {
    expect((await callAll(sessions)).filter(({ right }) => !right)).toEqual([])
  }

  const [gone] = workload.all
  const changes = { areOver: false }
  const changing = (async () => {
    await workload.add()
    await gone?.kill()
    changes.areOver = true
  })()
  const lives = ({ holder }: Told): boolean => holder !== gone?.address
  const lost: Told[] = []
  while (!changes.areOver) {
    lost.push(...(await callAll(sessions)).filter((told) => lives(told) && !told.right))
  }
  await changing
  expect(lost).toEqual([])

  const after = await callAll(sessions)
  expect(after.filter((told) => lives(told) && !told.right)).toEqual([])
  const ended = after.filter((told) => !lives(told))
  expect(ended.length).toBeGreaterThan(0)
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set([404]))

  // Whoever comes now comes to those who are there, the new one too, and is found at once.
  const fresh = await each(numbers, () => openLegacy(workload.url))
  const holders = new Set(fresh.map(({ id }) => holderOf(id)))
  expect(holders).toEqual(new Set(workload.all.map(({ address }) => address)))
  expect((await callAll(fresh)).filter(({ right }) => !right)).toEqual([])
  const ends = await each(fresh, ({ headers }) =>
    send(workload.url, undefined, { ...JSON_HEADERS, ...headers }, { method: 'DELETE' }),
  )
  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set([204]))
})
