// The headers that a collector asks for reach it from the sidecar's environment, where a Secret puts them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { TRACE_HEADERS_VARIABLE } from '../../../shared/names.ts'
import { listening } from '../../support/listening.ts'
import { openLegacy, startPuppetWith } from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'

test('they are sent with the spans, and logged nowhere', async () => {
  const seen: IncomingHttpHeaders[] = []
  const collector = createServer((request, response) => {
    seen.push(request.headers)
    request.resume()
    response.end()
  })
  const port = await listening(collector)
  const folder = mkdtempSync(join(tmpdir(), 'trace-headers-'))
  const path = join(folder, 'config.json')
  const traces = { endpoint: `http://127.0.0.1:${port}`, sampleRatio: 1 }
  writeFileSync(path, JSON.stringify({ traces }))
  const env = { [TRACE_HEADERS_VARIABLE]: 'x-team=team%20a,authorization=Bearer%20s3cret-of-ours' }
  const bridge = await startPuppetWith(env, '--config', path)
  try {
    await openLegacy(bridge.url)
    await until(() => seen.length > 0, 'spans are sent')
  } finally {
    await bridge.stop()
    collector.close()
    collector.closeAllConnections()
    rmSync(folder, { recursive: true })
  }
  expect(seen[0]).toMatchObject({ 'x-team': 'team a', authorization: 'Bearer s3cret-of-ours' })
  expect(bridge.stderr()).not.toContain('s3cret')
})
