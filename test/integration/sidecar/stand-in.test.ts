// A port that a bridge or a server had, now the sidecar's: whoever called it there finds MCP, and nothing else.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { StandIns } from '../../../sidecar/http/stand-ins.ts'
import { freePort } from '../../support/free-port.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { startPod, type Pod } from '../../support/pod.ts'
import { openLegacy, PUPPET } from '../../support/puppet.ts'
import { INITIALIZE, JSON_HEADERS, send } from '../../support/raw-http.ts'

describe('a stand-in', () => {
  let pod: Pod
  let port: number

  beforeAll(async () => {
    port = await freePort()
    pod = await startPod(PUPPET, { standIns: [{ port, path: '/messages/' }] })
    await pod.served()
  })
  afterAll(() => pod.stop())

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

// Loopback has as many addresses as are needed: one is the server's, the other the pod's.
const PODS = '127.0.0.2'
const SERVERS = '127.0.0.1'

describe('ports beside a server on loopback', () => {
  let port: number
  let kept: KeptLog
  let nowMs: number
  let faults: (string | undefined)[]
  let standIns: StandIns
  const others: Server[] = []

  beforeEach(async () => {
    port = await freePort()
    kept = keptLog()
    nowMs = 0
    faults = []
    standIns = new StandIns({
      ports: [port],
      addresses: [PODS, '127.0.0.3'],
      createListener: () => createServer((_request, response) => response.end('the sidecar')),
      log: kept.log,
      now: () => nowMs,
      onFault: (fault) => faults.push(fault),
    })
  })
  afterEach(async () => {
    await standIns.giveBack()
    for (const other of others.splice(0)) other.close()
  })

  const occupy = async (host: string): Promise<Server> => {
    const other = createServer((_request, response) => response.end('the server'))
    others.push(other.listen(port, host))
    await once(other, 'listening')
    return other
  }
  const reached = async (host: string): Promise<string> => {
    try {
      return await (await fetch(`http://${host}:${port}/`)).text()
    } catch {
      return 'nobody'
    }
  }

  test('are taken at the pod’s addresses, and there alone', async () => {
    await occupy(SERVERS)
    expect(await standIns.take()).toBeUndefined()
    expect(await Promise.all([PODS, '127.0.0.3', SERVERS].map(reached))).toEqual([
      'the sidecar',
      'the sidecar',
      'the server',
    ])
    expect([faults, kept.lines]).toEqual([[], []])
  })

  test('that somebody else has are told, and taken once they are free', async () => {
    const other = await occupy(PODS)
    expect(await standIns.take()).toContain(`port ${port} cannot be taken at ${PODS}: `)
    expect(await reached('127.0.0.3')).toBe('the sidecar')
    nowMs = 999
    standIns.sweep(nowMs)
    other.close()
    other.closeAllConnections()
    await once(other, 'close')
    nowMs = 1000
    standIns.sweep(nowMs)
    expect(await standIns.take()).toBeUndefined()
    expect(await reached(PODS)).toBe('the sidecar')
    expect(faults).toEqual([expect.stringContaining('EADDRINUSE'), undefined])
    expect(kept.lines).toHaveLength(1)
  })

  test('are left to a server that nothing holds, and not taken again by themselves', async () => {
    await standIns.take()
    const open = connect(port, PODS)
    await once(open, 'connect')
    await standIns.giveBack()
    await occupy('0.0.0.0')
    nowMs = 60_000
    standIns.sweep(nowMs)
    expect(await reached(PODS)).toBe('the server')
    open.destroy()
  })

  test('that are taken and left at once end as was said last', async () => {
    const taking = standIns.take()
    await Promise.all([taking, standIns.giveBack()])
    expect(await reached(PODS)).toBe('nobody')
    await Promise.all([standIns.giveBack(), standIns.take()])
    expect(await reached(PODS)).toBe('the sidecar')
  })
})
