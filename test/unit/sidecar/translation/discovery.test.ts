// `server/discover` from an answer to `initialize`.

import { describe, expect, test } from '@jest/globals'
import { discoveryIn } from '../../../../sidecar/translation/discovery.ts'
import { aMessage } from '../../../support/messages.ts'

const discovered = (member: string) => {
  const message = aMessage(`{"jsonrpc":"2.0","id":1,${member}}`)
  if (message.kind !== 'response') throw new Error('no response')
  return discoveryIn(message)
}
const found = (result: object) => {
  const discovery = discovered(`"result":${JSON.stringify(result)}`)
  if (!discovery.ok) throw new Error(discovery.error.message)
  const { value } = discovery
  return { ...value, result: JSON.parse(Buffer.from(value.result, 'latin1').toString()) }
}
const SERVER = { name: 'ä server', version: '1' }
const GREETING = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: SERVER }

describe('what a server has said of itself', () => {
  test('is told with its name, its instructions, and that it is translated', () => {
    expect(found({ ...GREETING, instructions: 'Ask once.' })).toEqual({
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities: {},
        instructions: 'Ask once.',
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': SERVER },
      },
      serverInfo: Buffer.from(JSON.stringify(SERVER)).toString('latin1'),
      takesLogLevel: false,
    })
  })

  test('needs no name', () => {
    const { result, serverInfo } = found({ protocolVersion: '2024-11-05', capabilities: {} })
    expect(result).not.toHaveProperty('_meta')
    expect(serverInfo).toBeUndefined()
  })

  test.each([
    ['what only a subscription tells', { tools: { listChanged: true } }, { tools: {} }],
    [
      'subscriptions to resources',
      { resources: { subscribe: true, listChanged: false, other: 1 } },
      { resources: { other: 1 } },
    ],
    ['tasks of the legacy era', { tasks: { list: {} }, prompts: {} }, { prompts: {} }],
    [
      'nothing else',
      { experimental: { a: 1 }, logging: {} },
      { experimental: { a: 1 }, logging: {} },
    ],
  ])('promises without %s', (_name, capabilities, kept) => {
    expect(found({ ...GREETING, capabilities }).result.capabilities).toEqual(kept)
  })

  test('says whether it can be told how much to log', () => {
    expect(found({ ...GREETING, capabilities: { logging: {} } }).takesLogLevel).toBe(true)
  })
})

describe('an answer to initialize that cannot be translated', () => {
  test.each([
    ['an error', '"error":{"code":1,"message":"secret words"}', 'it is an error'],
    ['no version', '"result":{"capabilities":{}}', 'no protocolVersion'],
    ['a version of no revision', '"result":{"protocolVersion":"1999-01-01"}', 'no older revision'],
    ['the modern one', '"result":{"protocolVersion":"2026-07-28"}', 'no older revision'],
    [
      'capabilities that are none',
      '"result":{"protocolVersion":"2025-06-18","capabilities":[]}',
      'of other types',
    ],
    [
      'more than is kept',
      `"result":{"protocolVersion":"2025-06-18","instructions":"${'x'.repeat(1024 * 1024)}"}`,
      'longer than 1048576 bytes',
    ],
  ])('%s', (_name, member, why) => {
    const discovery = discovered(member)
    expect(discovery).toMatchObject({ ok: false, error: { code: 'server-failed' } })
    const message = discovery.ok ? '' : discovery.error.message
    expect(message).toContain(why)
    expect(message).not.toContain('secret')
  })
})
