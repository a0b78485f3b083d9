// Several replicas behind a balancer that knows no sessions: each call comes to its session, whichever replica took it.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openLegacy, textOf, toolCall } from '../../support/puppet.ts'
import { messageIn } from '../../support/raw-http.ts'
import { Workload } from '../../support/workload.ts'

describe('three replicas', () => {
  let workload: Workload
  beforeAll(async () => {
    workload = await new Workload().begin(3)
  })
  afterAll(() => workload.stop())

  test('a session is served by its own process, whoever takes the call', async () => {
    const session = await openLegacy(workload.url)
    const pids = new Set<string>()
    for (let call = 0; call < 9; call++) pids.add(await session.call('pid'))
    expect(pids.size).toBe(1)
    expect(textOf(messageIn(await session.post(toolCall('echo', { text: 'é' }))))).toBe('é')
    expect((await session.end()).status).toBe(204)
    expect((await session.post(toolCall('pid'))).status).toBe(404)
  })
})
