// A port that a bridge had, now the sidecar's: whoever called it there finds MCP, and nothing else.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePort } from '../../support/admin.ts'
import { startPod, type Pod } from '../../support/pod.ts'
import { openLegacy, PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'

const LIMIT_MS = 60_000

describe('a stand-in', () => {
  let pod: Pod
  let port: number

  beforeAll(async () => {
    port = await freePort()
    pod = await startPod(PUPPET, { standIns: [{ port, path: '/messages/' }] })
    await pod.served()
  }, LIMIT_MS)
  afterAll(() => pod.stop(), LIMIT_MS)

  test.each(['/messages/', '/messages', '/mcp', '/mcp/'])('serves MCP at %s', async (path) => {
    const session = await openLegacy(`http://127.0.0.1:${port}${path}`)
    expect(session.opened.status).toBe(200)
    expect((await session.end()).status).toBe(204)
  })

  test('says where MCP is to whoever looks elsewhere', async () => {
    const reply = await send(`http://127.0.0.1:${port}/sse`, INITIALIZE, JSON_HEADERS)
    expect(reply.status).toBe(404)
    expect(reply.text).toContain('the MCP endpoint is /mcp')
  })

  test('leaves the own port as it is', async () => {
    const other = pod.url.replace('/mcp', '/messages/')
    expect((await send(other, INITIALIZE, JSON_HEADERS)).status).toBe(404)
    expect((await send(pod.url, INITIALIZE, JSON_HEADERS)).status).toBe(200)
  })
})
