// What a modern client may ask a legacy server, and which of its log lines it gets.

import { describe, expect, test } from '@jest/globals'
import { FAULTS } from '../../../../sidecar/mcp/faults.ts'
import { askedLevel, isAsked } from '../../../../sidecar/translation/log-level.ts'
import { isLaterRound, refusalOf } from '../../../../sidecar/translation/methods.ts'
import { aNotification, aRequest } from '../../../support/messages.ts'

const request = (method: string, params = '{}') =>
  aRequest(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`)

describe('a method', () => {
  test.each([
    'server/discover',
    'tools/list',
    'tools/call',
    'prompts/list',
    'prompts/get',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'completion/complete',
    'com.example/own',
  ])('%s goes on', (method) => {
    expect(refusalOf(request(method))).toBeUndefined()
  })

  test.each([
    'initialize',
    'ping',
    'logging/setLevel',
    'resources/subscribe',
    'resources/unsubscribe',
    'subscriptions/listen',
    'tasks/get',
    'tasks/cancel',
  ])('%s is refused by its name', (method) => {
    const refused = refusalOf(request(method))
    expect(refused?.code).toBe('method-not-found')
    expect(refused?.message).toContain(method)
    expect(FAULTS['method-not-found']).toEqual({ status: 404, rpc: -32_601 })
  })

  test.each([
    ['{"inputResponses":{}}', true],
    ['{"requestState":"x"}', true],
    ['{"name":"requestState"}', false],
  ])('with %s brings what its client was asked for: %p', (params, is) => {
    expect(isLaterRound(request('tools/call', params))).toBe(is)
  })
})

describe('log lines', () => {
  const asks = (level: string) =>
    askedLevel(request('tools/call', `{"_meta":{"io.modelcontextprotocol/logLevel":${level}}}`))
  const line = (level: string) =>
    aNotification(
      `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":${level},"data":1}}`,
    )

  test.each([
    ['"debug"', '"debug"', true],
    ['"info"', '"debug"', false],
    ['"info"', '"notice"', true],
    ['"warning"', '"error"', true],
    ['"error"', '"warning"', false],
    ['"emergency"', '"alert"', false],
    ['"emergency"', '"emergency"', true],
    ['"debug"', '"loud"', false],
    ['"debug"', '1', false],
  ])('asked from %s on, one of %s: %p', (level, said, is) => {
    const asked = asks(level)
    expect(asked).toBeDefined()
    expect(asked && isAsked(line(said), asked)).toBe(is)
  })

  test.each(['"loud"', 'true', '""'])('asked from %s on: none', (level) => {
    expect(asks(level)).toBeUndefined()
  })
})
