import { describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { definitionOf } from '../../../../shared/lock/digest.ts'
import { readLock } from '../../../../shared/lock/lock.ts'
import { vettingOf, type AskTerms } from '../../../../sidecar/conversation/vetting.ts'
import { Findings } from '../../../../sidecar/lock/findings.ts'
import { ToolLock } from '../../../../sidecar/lock/tool-lock.ts'
import { startValidation } from '../../../../sidecar/validation/start-validation.ts'
import { askedServer, type Answers } from '../../../support/asked-server.ts'
import { keptLog } from '../../../support/kept-log.ts'

const TOOL = { name: 'echo', inputSchema: { properties: { text: { type: 'string' } } } }
const LOCK = readLock(
  stringify({ version: 1, tools: { echo: Object.fromEntries(definitionOf('tools', TOOL)) } }),
)

/** A server under a base lock, a lock of its own, and a check of arguments. */
const start = (answers: Answers = () => ({ tools: [TOOL] })) => {
  const server = askedServer(answers)
  const { now } = server
  const findings = new Findings({ log: keptLog().log, count: () => undefined })
  if (!LOCK.ok) throw new Error('the lock cannot be read')
  const lock = new ToolLock({ lock: () => LOCK.value, findings, now })
  const vetted = vettingOf([lock, lock, startValidation({ now, log: keptLog().log })])?.over(
    server.channel,
  )
  const call = (args: object, terms?: AskTerms) =>
    server.settled((request) => vetted?.check(request, terms), {
      method: 'tools/call',
      params: { name: 'echo', arguments: args },
    })
  return { server, vetted, call }
}

describe('where two locks and the check of arguments are on', () => {
  test('the server is asked once for all, and once more when that is a minute old', async () => {
    const { server, call } = start()
    expect(await call({ text: 'a' })).toBeUndefined()
    expect(await call({ text: 1 })).toMatchObject({ code: 'invalid-arguments' })
    expect(server.asked).toEqual(['tools/list ""'])
    server.nowMs += 60_001
    expect(await call({ text: 'a' })).toBeUndefined()
    expect(server.asked).toEqual(['tools/list ""', 'tools/list ""'])
  })

  test('a list that has changed is asked for once for all', async () => {
    const { server, vetted, call } = start()
    await call({})
    vetted?.changed()
    expect(await call({ text: 'a' })).toBeUndefined()
    expect(server.asked).toHaveLength(2)
  })

  test('what a caller gets by headers of its own is known for nobody else', async () => {
    const { server, call } = start()
    await call({}, { headers: () => ({ 'x-user': 'a' }) })
    const asked = server.asked.length
    expect(await call({ text: 'a' })).toBeUndefined()
    expect(server.asked).toHaveLength(asked + 1)
  })

  test('what cannot be known is refused by the first that needs it', async () => {
    const { call } = start(() => ({}))
    expect(await call({})).toMatchObject({ code: 'not-as-locked' })
  })
})

test("a list that is no use to one is still the other one's", async () => {
  const pageOf = (page: number) =>
    Array.from({ length: 1000 }, (_, at) => ({ name: `${page}.${at}` }))
  const { server, call } = start((_method, { cursor }) => {
    const page = Number(cursor ?? 0)
    const next = page < 4 ? { nextCursor: `${page + 1}` } : {}
    return { tools: [TOOL, ...pageOf(page)], ...next }
  })
  expect((await call({}))?.message).toContain('more than 4096 tools')
  const asked = server.asked.length
  expect(await call({})).toMatchObject({ code: 'invalid-arguments' })
  expect(server.asked).toHaveLength(asked + 5)
})
