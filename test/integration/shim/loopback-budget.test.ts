// What holding a server on loopback may cost: memory is asserted, time is printed.

import { expect, test } from '@jest/globals'
import { ExecProcess } from '../../support/exec-process.ts'
import { statusOf, ticksOf } from '../../support/proc.ts'

const BINDS = 1000

// Binds, listens and closes, one after the other; stays.
const SERVER = `const { createServer } = require('node:net')
const next = (left) => left === 0 ? console.log('up')
  : createServer().listen(0, function () { this.close(() => next(left - 1)) })
setInterval(() => undefined, 1000)
next(${BINDS})`

test(`the supervisor of a server that has bound ${BINDS} times: at most 1 MiB RSS`, async () => {
  const shim = new ExecProcess({ command: [process.execPath, '-e', SERVER] })
  expect(await shim.line()).toBe('up')
  const rss = statusOf(shim.pid, 'VmRSS')
  const microseconds = (ticksOf(shim.pid) * 10_000) / BINDS
  await shim.close()
  process.stdout.write(
    `shim: ${rss} KiB RSS of a supervisor, ${microseconds} us of its CPU a bind and listen\n`,
  )
  expect(rss).toBeLessThanOrEqual(1024)
})
