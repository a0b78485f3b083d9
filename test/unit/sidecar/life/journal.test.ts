// What an operator reads of each fault of the table, of server processes and of clients that do not read.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Reply } from '../../../../sidecar/http/reply.ts'
import { Journal } from '../../../../sidecar/life/journal.ts'
import { FAULTS, fault, type Fault, type FaultCode } from '../../../../sidecar/mcp/faults.ts'
import { fakeMetrics } from '../../../support/fake-metrics.ts'
import { aReply, type FakeReply } from '../../../support/fake-reply.ts'
import { aBudget } from '../../../support/budgets.ts'
import { keptLog, type KeptLog } from '../../../support/kept-log.ts'

let kept: KeptLog
let servers: KeptLog
let metrics: ReturnType<typeof fakeMetrics>
let journal: Journal

const lines = (log: KeptLog): readonly unknown[] =>
  log.lines.map((line): unknown => JSON.parse(line))
const CODES = Object.keys(FAULTS).filter((code): code is FaultCode => code in FAULTS)
const LEVELS: Readonly<Record<string, string>> = {
  'rate-limited': 'warn',
  'too-many-requests': 'warn',
  internal: 'error',
  'request-cancelled': 'debug',
}
const usualLevel = (code: FaultCode): string => {
  const { status } = FAULTS[code]
  return status >= 400 && status < 500 ? 'info' : 'warn'
}

beforeEach(() => {
  kept = keptLog()
  servers = keptLog()
  metrics = fakeMetrics()
  journal = new Journal({ log: kept.log, serverLog: servers.log, metrics: metrics.metrics })
})

const replied = (): FakeReply => aReply(0, aBudget(), journal)

describe('every fault that a client is told', () => {
  test.each<[how: string, tell: (reply: FakeReply['reply'], told: Fault) => void]>([
    ['as its answer', (reply, told) => reply.fault(told)],
    ['in a stream or a batch', (reply, told) => reply.noteFault(told, undefined)],
  ])('%s is counted, and is a line with session and process', async (_name, tell) => {
    for (const code of CODES) {
      const { reply } = replied()
      reply.session = 'abcdefgh'
      reply.process = 7
      tell(reply, fault(code, `why ${code}`))
    }
    const text = await metrics.text()
    for (const code of CODES) expect(text).toContain(`outrigger_faults_total{code="${code}"} 1\n`)
    expect(lines(kept)).toEqual(
      CODES.map((code) =>
        expect.objectContaining({
          level: LEVELS[code] ?? usualLevel(code),
          fault: code,
          session: 'abcdefgh',
          process: 7,
          why: `why ${code}`,
        }),
      ),
    )
  })
})

test.each<[string, (reply: Reply) => void, RegExp]>([
  ['reads too slowly', (reply) => reply.cut(), /cut off: it does not read/],
  ['has waited beyond its token', (reply) => reply.outlived(), /cut off: its token has ended/],
])('a client that %s is cut off: a line and a number, once', async (_name, cut, says) => {
  const { reply } = replied()
  reply.session = 'abcdefgh'
  cut(reply)
  cut(reply)
  expect(lines(kept)).toEqual([
    expect.objectContaining({
      level: 'warn',
      session: 'abcdefgh',
      message: expect.stringMatching(says),
    }),
  ])
  expect(await metrics.text()).toContain('outrigger_clients_cut_off_total 1\n')
})

describe('a server process', () => {
  const process = { number: 3, session: 'abcdefgh' }
  const named = { process: 3, session: 'abcdefgh' }
  const exit = { code: undefined, signal: undefined, isOutOfMemory: false, isAsked: false }

  test.each([
    ['that ends well', { ...exit, code: 0 }, 'info', 'code_0'],
    ['that fails', { ...exit, code: 3 }, 'warn', 'code'],
    ['that crashes', { ...exit, signal: 'SIGSEGV' }, 'warn', 'SIGSEGV'],
    ['that we end', { ...exit, signal: 'SIGTERM', isAsked: true }, 'info', 'asked'],
    [
      'that the kernel ends',
      { ...exit, signal: 'SIGKILL', isOutOfMemory: true },
      'warn',
      'out_of_memory',
    ],
  ])('%s', async (_name, how, level, cause) => {
    journal.exited(process, how)
    expect(lines(kept)).toEqual([expect.objectContaining({ ...named, level })])
    expect(await metrics.text()).toContain(`outrigger_exits_total{cause="${cause}"} 1\n`)
  })

  test('is told of when it starts and when it is lost', () => {
    journal.started(process)
    journal.lost(process)
    expect(lines(kept)).toEqual([
      expect.objectContaining({ ...named, level: 'info' }),
      expect.objectContaining({ ...named, level: 'warn' }),
    ])
  })

  test('is heard on stderr with time, process and session', () => {
    journal.wrote(process, 'no database')
    expect([lines(servers), kept.lines]).toEqual([
      [
        {
          time: '1970-01-01T00:00:00.000Z',
          level: 'info',
          message: 'no database',
          stream: 'stderr',
          ...named,
        },
      ],
      [],
    ])
  })
})
