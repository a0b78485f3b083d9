// How long requests took, as Prometheus reads it: by method, tool and outcome, all of known sets and all bounded.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { FAULTS } from '../../../../sidecar/mcp/faults.ts'
import type { Response } from '../../../../sidecar/mcp/message.ts'
import { Operations, type Operation } from '../../../../sidecar/telemetry/operations.ts'
import { aMessage, aRequest } from '../../../support/messages.ts'

let nowMs: number
let operations: Operations
beforeEach(() => {
  nowMs = 0
  operations = new Operations(() => nowMs)
})

const text = (): Promise<string> => {
  const registry = new Registry()
  for (const metric of operations.metrics()) registry.registerMetric(metric)
  return registry.metrics()
}

/** `side method tool error count`, one a kind of request that has been. */
const counts = async (): Promise<readonly string[]> =>
  [
    ...(await text()).matchAll(
      /^mcp_(\w+)_operation_duration_seconds_count\{mcp_method_name="(.*)",gen_ai_tool_name="(.*)",error_type="(.*)"\} (\d+)$/gm,
    ),
  ].map(([, ...parts]) => parts.join(' '))

const begun = (method: string, params: unknown = {}): Operation =>
  operations.begin(aRequest(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })), nowMs)

const called = (name: unknown): Operation => begun('tools/call', { name })

const listing = (...names: readonly unknown[]): Response => {
  const tools = names.map((name) => ({ name, inputSchema: {} }))
  const message = aMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } }))
  if (message.kind !== 'response') throw new Error('no response')
  return message
}

const lists = (...names: readonly unknown[]): void =>
  operations.ended({ method: 'tools/list', sentMs: nowMs }, nowMs, undefined, listing(...names))

test('from the arrival, and from when it was sent, in the buckets of the conventions', async () => {
  const operation = begun('ping')
  nowMs = 150
  operations.ended({ method: 'ping', operation, sentMs: 100 }, nowMs)
  const lines = (await text()).split('\n')
  const labels = 'mcp_method_name="ping",gen_ai_tool_name="",error_type=""'
  const bounds = ['0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1', '2', '5', '10', '30', '60', '120', '300', '+Inf'] // prettier-ignore
  const bucketsOf = (side: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`mcp_${side}_operation_duration_seconds_bucket`))
  const expected = (side: string, from: number): readonly string[] =>
    bounds.map(
      (le, at) =>
        `mcp_${side}_operation_duration_seconds_bucket{${labels},le="${le}"} ${at >= from ? 1 : 0}`,
    )
  expect(bucketsOf('server')).toEqual(expected('server', 4))
  expect(bucketsOf('client')).toEqual(expected('client', 2))
  expect(lines).toContain(`mcp_server_operation_duration_seconds_sum{${labels}} 0.15`)
  expect(lines).toContain(`mcp_client_operation_duration_seconds_sum{${labels}} 0.05`)
  expect(lines).toContain('# TYPE mcp_server_operation_duration_seconds histogram')
})

test.each([
  ['a tool that was listed', 'echo', 'echo'],
  ['one with words that labels must escape', 'a "b\\\nc', '_OTHER'],
  ['one with quotes', 'a "b" \\', 'a \\"b\\" \\\\'],
  ['one of another script', '検索', '検索'],
  ['one that was not', 'evil', '_OTHER'],
  ['no name', undefined, '_OTHER'],
  ['a number', 7, '_OTHER'],
  ['a name that is long', 'x'.repeat(4096), '_OTHER'],
])('the tool of a call: %s', async (_name, name, label) => {
  lists('echo', 'a "b" \\', '検索', 'x'.repeat(4096), 'a "b\\\nc', 7, '')
  called(name).end(undefined)
  expect(await counts()).toContain(`server tools/call ${label} 1`.replace(' 1', '  1'))
})

test('a tool that a server calls _OTHER is no second series of that name', async () => {
  lists('_OTHER')
  called('_OTHER').end(undefined)
  called('else').end(undefined)
  expect((await counts()).filter((line) => line.startsWith('server'))).toEqual([
    'server tools/call _OTHER  2',
  ])
})

test('a hundred tools have a label of their own; what a server lists beyond has none', async () => {
  for (let page = 0; page < 10; page++) {
    nowMs += 10_000
    lists(...Array.from({ length: 30 }, (_, index) => `tool-${page * 30 + index}`))
  }
  for (let index = 0; index < 300; index++) called(`tool-${index}`).end(undefined)
  const seen = (await counts()).filter((line) => line.startsWith('server'))
  expect(seen).toHaveLength(101)
  expect(seen).toContain('server tools/call _OTHER  200')
})

test('a list that is as long as the last is read again after ten seconds', async () => {
  lists('one')
  lists('two')
  called('two').end(undefined)
  nowMs = 10_000
  lists('two')
  called('two').end(undefined)
  expect(await counts()).toEqual(
    expect.arrayContaining(['server tools/call _OTHER  1', 'server tools/call two  1']),
  )
})

test.each([
  ['success', undefined, ''],
  ['a tool that failed', 'tool_error', 'tool_error'],
  ['a fault of our own', 'rate-limited', 'rate-limited'],
  ['an error code of the protocol', '-32602', '-32602'],
  ['an error code of the server’s own', '-32099', '_OTHER'],
  ['what is no word', 'evil"}', '_OTHER'],
])('%s', async (_name, errorType, label) => {
  begun('prompts/list').end(errorType)
  expect(await counts()).toEqual([`server prompts/list  ${label} 1`])
})

test('an operation ends once', async () => {
  const operation = begun('ping')
  operation.end('timeout')
  operation.end(undefined)
  operations.ended({ method: 'ping', operation, sentMs: 0 }, nowMs, undefined)
  expect(await counts()).toEqual(['server ping  timeout 1', 'client ping   1'])
})

describe('what is bounded', () => {
  test('methods are of the protocol', async () => {
    for (const method of ['evil', 'toString', '__proto__', 'tools/callx']) begun(method).end('x')
    expect(await counts()).toEqual(['server _OTHER  _OTHER 4'])
  })

  test('outcomes of all tools together: whoever fails in every way fills no memory', async () => {
    lists(...Array.from({ length: 100 }, (_, index) => `tool-${index}`))
    for (const code of Object.keys(FAULTS)) {
      for (let index = 0; index < 100; index++) called(`tool-${index}`).end(code)
    }
    const seen = (await counts()).filter((line) => line.startsWith('server'))
    expect(seen.length).toBeLessThanOrEqual(256 + 100)
    const sum = seen.reduce((all, line) => all + Number(line.split(' ').at(-1)), 0)
    expect(sum).toBe(100 * Object.keys(FAULTS).length)
  })

  test('a list of more than a MiB is not read', async () => {
    lists('one', 'x'.repeat(1024 * 1024))
    called('one').end(undefined)
    expect(await counts()).toContain('server tools/call _OTHER  1')
  })
})
