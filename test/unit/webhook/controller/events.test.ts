import { beforeEach, describe, expect, test } from '@jest/globals'
import { createLog } from '../../../../shared/log.ts'
import { Events, MAX_NAMESPACE_TOLD, MAX_TOLD } from '../../../../webhook/controller/events.ts'
import type { Requests } from '../../../../webhook/kube/requests.ts'

const log = createLog({ level: 'error', write: () => undefined, now: () => 0 })
const signal = new AbortController().signal
const HOUR_MS = 3_600_000

describe('what owners are told', () => {
  let written: number
  let nowMs: number
  let events: Events

  beforeEach(() => {
    written = 0
    nowMs = 0
    const requests: Requests = {
      get: () => Promise.resolve(undefined),
      write: () => {
        written += 1
        return Promise.resolve({ status: 201, object: {} })
      },
    }
    const now = () => nowMs
    const randomName = () => 'r'
    events = new Events({ requests, log, now, wallMs: now, randomName, identity: 'test' })
  })

  /** One thing of so many workloads; how many Events came of it. */
  const tell = async (namespaceOf: (index: number) => string, workloads: number) => {
    const before = written
    for (let index = 0; index < workloads; index++) {
      const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: `u${index}` }
      await events.tell(namespaceOf(index), owner, [{ reason: 'a', message: 'b' }], signal)
    }
    return written - before
  }
  const spread = (index: number): string => `n${index % 100}`

  test('are each told once an hour, also where there are more than are remembered', async () => {
    expect(await tell(spread, MAX_TOLD + 500)).toBe(MAX_TOLD)
    nowMs = HOUR_MS - 1
    expect(await tell(spread, MAX_TOLD + 500)).toBe(0)
    nowMs = HOUR_MS
    expect(await tell(spread, MAX_TOLD + 500)).toBe(MAX_TOLD)
  })

  test('of one namespace leave the others their turn', async () => {
    expect(await tell(() => 'loud', MAX_TOLD + 1)).toBe(MAX_NAMESPACE_TOLD)
    expect(await tell(() => 'quiet', 1)).toBe(1)
  })
})
