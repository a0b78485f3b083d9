import { describe, expect, test } from '@jest/globals'
import { stringAt, type JsonObject } from '../../../../shared/json.ts'
import { CheckedProcess } from '../../../../sidecar/validation/checked-process.ts'
import { Schemas } from '../../../../sidecar/validation/schemas.ts'
import { askedServer, type Answers } from '../../../support/asked-server.ts'
import { aMessage } from '../../../support/messages.ts'

const SCHEMA = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }
const ECHO = { name: 'echo', inputSchema: SCHEMA }

const listing =
  (...tools: readonly JsonObject[]): Answers =>
  () => ({ tools })

const start = (answers: Answers) => {
  const server = askedServer(answers)
  const process = new CheckedProcess(server.channel, { schemas: new Schemas(), now: server.now })
  const call = (name: unknown, args?: unknown) =>
    server.settled((request) => process.check(request), {
      method: 'tools/call',
      params: { name, ...(args === undefined ? {} : { arguments: args }) },
    })
  return { server, process, call }
}

describe('a call', () => {
  test.each<[string, unknown, unknown, string | undefined]>([
    ['goes on', 'echo', { text: 'a' }, undefined],
    ['goes on without a schema of its tool', 'any', { b: 1 }, undefined],
    [
      'is refused by its arguments',
      'echo',
      { text: 1 },
      "the argument at /text must be a text, and is a number (the tool's own input schema)",
    ],
    [
      'is refused without arguments',
      'echo',
      undefined,
      'the arguments must have "text" (the tool\'s own input schema)',
    ],
    [
      'is refused with a list of them',
      'echo',
      [],
      "the arguments cannot be checked against the tool's own input schema: they are no object",
    ],
    [
      'is refused without a name',
      ['echo'],
      {},
      "the arguments cannot be checked against the tool's own input schema: it has no name that is a text",
    ],
    [
      'is refused of a tool that is not listed',
      'shell',
      {},
      "the arguments cannot be checked against the tool's own input schema: the server lists no tool of this name",
    ],
    [
      'is refused of a tool that is listed twice',
      'two',
      {},
      "the arguments cannot be checked against the tool's own input schema: the server lists two tools of this name",
    ],
    ['goes on of one that is listed twice alike', 'same', {}, undefined],
    [
      'is refused by a schema that cannot be used',
      'remote',
      {},
      "the arguments cannot be checked against the tool's own input schema: it refers to a schema elsewhere",
    ],
    [
      'is refused by a schema that is none',
      'none',
      {},
      "the arguments cannot be checked against the tool's own input schema: it is no object",
    ],
    [
      'is refused by a long schema',
      'long',
      {},
      "the arguments cannot be checked against the tool's own input schema: it is longer than 65536 bytes",
    ],
  ])('%s', async (_what, name, args, why) => {
    const { call } = start(
      listing(
        ECHO,
        { name: 'any' },
        { name: 'two', inputSchema: {} },
        { name: 'two', inputSchema: SCHEMA },
        { name: 'same', inputSchema: {} },
        { name: 'same', inputSchema: {} },
        { name: 'remote', inputSchema: { $ref: 'https://evil.example' } },
        { name: 'none', inputSchema: [] },
        { name: 'long', inputSchema: { description: 'x'.repeat(70_000) } },
      ),
    )
    const refused = await call(name, args)
    expect(refused?.message).toBe(why)
    if (refused) expect(refused.code).toBe('invalid-arguments')
  })

  test('asks for the list once', async () => {
    const { server, call } = start(listing(ECHO))
    await call('echo', { text: 'a' })
    await call('echo', { text: 1 })
    expect(server.asked).toEqual(['tools/list ""'])
  })

  test('takes the schema that holds now', async () => {
    const { server, process, call } = start(listing(ECHO))
    expect(await call('echo', {})).toBeDefined()
    server.answers = listing({ name: 'echo', inputSchema: {} })
    expect(await call('echo', {})).toBeDefined()
    process.changed()
    expect(await call('echo', {})).toBeUndefined()
    server.answers = listing(ECHO)
    server.nowMs += 60_000
    expect(await call('echo', {})).toBeDefined()
  })

  test.each<[string, Answers]>([
    ['an error', () => 'sorry'],
    ['no list', () => ({})],
    ['silence', () => undefined],
    [
      'pages without end',
      (_method, params) => ({ tools: [], nextCursor: `${stringAt(params, 'cursor') ?? ''}1` }),
    ],
    [
      'tools without end',
      (_method, params) => ({
        tools: Array.from({ length: 4000 }, (_, at) => ({
          name: `${stringAt(params, 'cursor') ?? ''}${at}`,
        })),
        nextCursor: '1',
      }),
    ],
  ])('is refused where the server answers with %s', async (_what, answers) => {
    expect(await start(answers).call('echo', { text: 'a' })).toBeDefined()
  })
})

test('schemas that nobody has used for long are read again', async () => {
  const filler = 'x'.repeat(60_000)
  const tools = Array.from({ length: 30 }, (_, index) => ({
    name: `t${index}`,
    inputSchema: { description: `${index}${filler}` },
  }))
  const { server, call } = start(listing(ECHO, ...tools))
  expect(await call('t29', {})).toBeUndefined()
  expect((await call('echo', {}))?.message).toContain('too many schemas are in use')
  expect(server.asked).toHaveLength(2)
})

test('a call that is a notification goes no further', () => {
  const { process } = start(listing(ECHO))
  const note = (method: string) => {
    const message = aMessage(JSON.stringify({ jsonrpc: '2.0', method, params: { name: 'echo' } }))
    return message.kind === 'notification' && process.drops(message)
  }
  expect([note('tools/call'), note('notifications/cancelled')]).toEqual([true, false])
})
