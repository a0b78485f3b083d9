// What goes on with messages whose traces are not recorded.

import { expect, test } from '@jest/globals'
import { readContext, traceparent } from '../../../../sidecar/telemetry/trace-context.ts'
import { TraceIds } from '../../../../sidecar/telemetry/trace-ids.ts'

const PARENT = readContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02', 'a=b')

test('a trace of its own, which everybody can read, and never one twice', () => {
  const ids = new TraceIds()
  const contexts = Array.from({ length: 10_000 }, () => ids.next(undefined, false))
  expect(contexts.filter((one) => readContext(traceparent(one), undefined) === undefined)).toEqual(
    [],
  )
  expect(new Set(contexts.map(({ traceId }) => traceId)).size).toBe(contexts.length)
  expect(new Set(contexts.map(({ spanId }) => spanId)).size).toBe(contexts.length)
})

test('in a trace of the client’s: its trace, flags and state, under an id of ours', () => {
  const next = new TraceIds().next(PARENT, false)
  expect(next).toEqual({ ...PARENT, spanId: expect.stringMatching(/^[0-9a-f]{16}$/), flags: 2 })
  expect(next.spanId).not.toBe(PARENT?.spanId)
})

test('that it is recorded is told to whoever comes behind', () => {
  const ids = new TraceIds()
  expect([ids.next(undefined, true).flags, ids.next(PARENT, true).flags]).toEqual([1, 3])
})
