// The sidecar's second listener alone: what goes wrong behind it is told to whoever runs it.

import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { createAdmin } from '../../../sidecar/admin/server.ts'
import { keptLog } from '../../support/kept-log.ts'

test('metrics that cannot be collected are an answer, and their cause is in the log', async () => {
  const { log, lines } = keptLog()
  const server = createAdmin({
    isStarted: () => true,
    obstacle: () => undefined,
    weakness: () => undefined,
    egressEnforcement: () => undefined,
    metrics: () => Promise.reject(new Error('a gauge threw')),
    metricsType: 'text/plain',
    log,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const response = await fetch(`http://127.0.0.1:${port}/metrics`)
    expect([response.status, await response.text()]).toEqual([
      500,
      'the metrics cannot be collected\n',
    ])
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { level: 'error', error: 'a gauge threw' },
    ])
  } finally {
    server.close()
  }
})
