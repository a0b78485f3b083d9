// What a person reads while a server starts: its own lines once, ours only when they are news.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { startLogs, type StartLogs } from '../../../../cli/run/start-log.ts'
import type { Level } from '../../../../shared/log.ts'

let lines: string[]
const logsOf = (level: Level, isTerminal: boolean): StartLogs =>
  startLogs(level, { log: (line) => void lines.push(line), isTerminal: () => isTerminal })

beforeEach(() => {
  lines = []
})

describe('our own lines', () => {
  test('that say that the server does not start wait for its first answer', () => {
    const { log, begin } = logsOf('warn', true)
    log.warn('ended', { how: 'exited with code 3' })
    log.error('the server does not start')
    log.warn('weak', { why: 'x' })
    expect(lines).toEqual(['outrigger: warning: weak (why: x)\n'])
    begin()
    log.error('failed')
    expect(lines.slice(1)).toEqual([
      'outrigger: warning: ended (how: exited with code 3)\n',
      'outrigger: error: the server does not start\n',
      'outrigger: error: failed\n',
    ])
  })

  test('come at once for who asks for more', () => {
    logsOf('info', true).log.info('started', { process: 1, session: undefined })
    expect(lines).toEqual(['outrigger: info: started (process: 1)\n'])
  })

  test('are JSON where no person reads', () => {
    logsOf('info', false).log.info('started')
    expect(lines).toEqual([
      expect.stringMatching(/^\{"time":"[^"]+","level":"info","message":"started"\}\n$/),
    ])
  })
})

describe("a server's lines", () => {
  test('stay as they are on a terminal', () => {
    logsOf('error', true).serverLog.info('\u001B[31mred', { process: 1 })
    expect(lines).toEqual(['\u001B[31mred\n'])
  })

  test('are passed over when a second process says the same before any has answered', () => {
    const { serverLog, begin } = logsOf('warn', true)
    for (const process of [1, 1, 2]) serverLog.info('no database', { process })
    serverLog.info('nor this', { process: 2 })
    begin()
    serverLog.info('no database', { process: 3 })
    expect(lines).toEqual(['no database\n', 'no database\n', 'nor this\n', 'no database\n'])
  })
})
