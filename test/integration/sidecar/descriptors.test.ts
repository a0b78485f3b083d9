// A sidecar that has no file descriptor left: whoever needs a process is told to come again, whoever has one is served,
// and nobody says that the server is at fault.

import { execFileSync } from 'node:child_process'
import { Agent, request } from 'node:http'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startPod, type Pod } from '../../support/pod.ts'
import { INITIALIZE, JSON_HEADERS } from '../../support/raw-http.ts'
import { hasProgram } from '../../support/shim.ts'

const SERVER = fileURLToPath(new URL('../../fixtures/raw-server.ts', import.meta.url))
const ENOUGH = 1024

let folder: string
let pod: Pod
let agent: Agent

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-descriptors-'))
  pod = await startPod([process.execPath, SERVER, folder, join(folder, 'mood')])
  await pod.served()
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
})

afterAll(async () => {
  agent.destroy()
  await pod.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Answer = { readonly status: number; readonly session: string; readonly text: string }

/** Over a connection that is there already. */
const post = (body: string, session = ''): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { ...JSON_HEADERS, ...(session === '' ? {} : { 'mcp-session-id': session }) }
    const sent = request(pod.url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => {
        const opened = String(response.headers['mcp-session-id'])
        resolve({ status: response.statusCode ?? 0, session: opened, text })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })

const limit = (most: number): void =>
  void execFileSync('prlimit', ['--pid', `${pod.pid}`, `--nofile=${most}:${ENOUGH}`])

/** All numbers below it are in use: nothing more can be opened. */
const full = (): number => {
  const used = new Set(readdirSync(`/proc/${pod.pid}/fd`).map(Number))
  let free = 0
  while (used.has(free)) free++
  return free
}

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
const testWithLimits = hasProgram('prlimit') ? test : test.skip

testWithLimits('is busy, not broken, and is as before once it has some', async () => {
  limit(ENOUGH)
  const { session } = await post(INITIALIZE)
  limit(full())
  const refused = await post(INITIALIZE)
  expect([refused.status, refused.text]).toEqual([
    503,
    expect.stringMatching(/no file descriptor left.*"code":"no-capacity"/),
  ])
  expect(refused.text).not.toContain('/pipes')
  expect((await post(PING, session)).text).toContain('"result":{}')
  limit(ENOUGH)
  expect((await pod.admin.get('/readyz')).status).toBe(200)
  expect((await post(INITIALIZE)).status).toBe(200)
})
