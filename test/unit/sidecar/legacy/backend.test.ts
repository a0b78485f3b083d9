// What a process hears of its own requests when the client of its session does not listen.

import { expect, test } from '@jest/globals'
import { Backend } from '../../../../sidecar/legacy/backend.ts'
import { Logs } from '../../../../sidecar/legacy/event-log.ts'
import { Session } from '../../../../sidecar/legacy/session.ts'
import { revisionOf } from '../../../../sidecar/mcp/revision.ts'
import { aBudget } from '../../../support/budgets.ts'
import { FakeLink } from '../../../support/fake-link.ts'
import { aReply } from '../../../support/fake-reply.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'

test('after 64 pings that nobody heard a form is put all the same, and the oldest ping is told', async () => {
  const revision = revisionOf('2025-06-18')
  if (!revision) throw new Error('the revision is in the table')
  const link = new FakeLink()
  const backend = new Backend({
    link,
    model: 'session',
    nextId: () => 1,
    now: () => 0,
    observe: () => undefined,
    remarks: keptRemarks(),
    isShared: false,
    isAwaited: () => false,
    onUnused: () => undefined,
    onEnd: () => undefined,
  })
  const logs = new Logs(aBudget())
  const bounds = { maxConcurrentCalls: 1, clientTimeoutMs: 60_000 }
  const options = { id: 's', caller: { key: 'p' }, ...bounds, now: () => 0, revision, logs }
  const session = new Session(options)
  backend.attach(session)
  for (let id = 0; id < 64; id++) link.says(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)
  const listening = aReply()
  session.listen(listening.reply, undefined)
  const form = '{"jsonrpc":"2.0","id":"form","method":"elicitation/create","params":{}}'
  link.says(form)
  expect(await listening.body()).toContain(form)
  expect(link.sent).toEqual([
    '{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"no client can answer now"}}',
  ])
})
