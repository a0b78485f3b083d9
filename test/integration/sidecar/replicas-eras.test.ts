// Several replicas before servers of other kinds: calls that wait for their client in the new revision, and servers over HTTP, for
// an official client.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectClientOne } from '../../support/client-one.ts'
import { connectClientTwo } from '../../support/client-two.ts'
import { startEverything } from '../../support/everything-over-http.ts'
import { freePort } from '../../support/free-port.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { modernCall, type Modern } from '../../support/puppet.ts'
import { messageIn, send } from '../../support/raw-http.ts'
import type { Running } from '../../support/running.ts'
import { holderOf, Workload, type Replica } from '../../support/workload.ts'

/** A real server over HTTP, which all of them have. */
const workloadBefore = async (
  replicas: number,
  settings: Readonly<Record<string, string>>,
): Promise<{ readonly server: Running; readonly workload: Workload }> => {
  const port = await freePort()
  const server = await startEverything('streamableHttp', port)
  const document = { settings: { transport: 'http', port: `${port}`, ...settings } }
  return { server, workload: await new Workload({ document }).begin(replicas) }
}

describe('a call of the new revision that waits for its client', () => {
  let workload: Workload
  let server: Running
  let asked: Replica
  let other: Replica

  beforeAll(async () => {
    ;({ server, workload } = await workloadBefore(2, { 'translate-eras': 'true' }))
    const [first, second] = workload.all
    if (!first || !second) throw new Error('there are two')
    ;[asked, other] = [first, second]
  })
  afterAll(async () => {
    await workload.stop()
    await server.stop()
  })

  const capabilities = { 'io.modelcontextprotocol/clientCapabilities': { sampling: {} } }
  const call = (more: object): Modern => {
    const args = { prompt: 'Capital?', maxTokens: 10 }
    const whole = modernCall('trigger-sampling-request', args, capabilities)
    const body = JSON.parse(whole.body)
    return { ...whole, body: JSON.stringify({ ...body, params: { ...body.params, ...more } }) }
  }
  const ask = async ({ url }: Replica, more: object) => {
    const { body, headers } = call(more)
    return JSON.parse(messageIn(await send(url, body, headers)))
  }
  const content = { type: 'text', text: 'Paris, of course' }
  const answers = { inputResponses: { 'input-1': { role: 'assistant', model: 'none', content } } }

  test('is taken up at another replica, by the process that asked', async () => {
    const { result } = await ask(asked, {})
    expect(result).toMatchObject({ resultType: 'input_required' })
    const { requestState } = result
    expect(holderOf(String(requestState).split('.')[0] ?? '')).toBe(asked.address)
    const taken = await ask(other, { requestState, ...answers })
    expect(JSON.stringify(taken.result)).toContain('Paris, of course')
    // It is good for once, wherever it is sent.
    for (const replica of [asked, other]) {
      const again = await ask(replica, { requestState, ...answers })
      expect(again.error).toMatchObject({ code: -32_602 })
    }
  })

  test('is nobody’s where another key has signed it', async () => {
    const { result } = await ask(asked, {})
    const state = String(result.requestState)
    const forged = `${state.startsWith('A') ? 'B' : 'A'}${state.slice(1)}`
    const { error } = await ask(other, { requestState: forged, ...answers })
    expect(error).toMatchObject({ code: -32_602 })
    const taken = await ask(other, { requestState: state, ...answers })
    expect(JSON.stringify(taken.result)).toContain('Paris, of course')
  })

  test('is one that nobody knows where its replica has gone', async () => {
    const third = await workload.add()
    const { result } = await ask(third, {})
    await third.kill()
    expect(result).toMatchObject({ resultType: 'input_required' })
    const { error } = await ask(other, { requestState: result.requestState, ...answers })
    expect(error).toMatchObject({ code: -32_602 })
  })
})

describe.each([
  ['the older revisions', connectClientOne, {}],
  ['the new one', connectClientTwo, { 'translate-eras': 'true' }],
])('an official client of %s before a server over HTTP', (_name, connect, settings) => {
  let workload: Workload
  let server: Running
  let client: McpClient

  beforeAll(async () => {
    ;({ server, workload } = await workloadBefore(3, settings))
    client = await connect(workload.url)
  })
  afterAll(async () => {
    await client.close()
    await workload.stop()
    await server.stop()
  })

  test('calls, hears of progress, and is asked', async () => {
    for (let count = 0; count < 6; count++) {
      expect(await client.call('echo', { message: `Grüße ${count}` })).toMatchObject({
        content: [{ text: `Echo: Grüße ${count}` }],
      })
    }
    // The client of the new revision reports a round of input as progress too, without a total: this server asks for its
    // client's roots a moment after it has begun, which may be in the middle of the call.
    const heard: unknown[] = []
    const args = { duration: 0.1, steps: 3 }
    await client.call('trigger-long-running-operation', args, {
      onProgress: ({ progress, total }) => total && heard.push([progress, total]),
    })
    expect(heard).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ])
    client.answers.sampling = () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'Paris, of course' },
    })
    for (let count = 0; count < 4; count++) {
      const sampled = await client.call('trigger-sampling-request', {
        prompt: 'Capital?',
        maxTokens: 10,
      })
      expect(JSON.stringify(sampled)).toContain('Paris, of course')
    }
  })
})
