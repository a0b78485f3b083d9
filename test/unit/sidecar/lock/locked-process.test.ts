import { describe, expect, test } from '@jest/globals'
import { stringify } from 'yaml'
import { definitionOf } from '../../../../shared/lock/digest.ts'
import { stringAt, type JsonObject } from '../../../../shared/json.ts'
import type { Answers } from '../../../support/asked-server.ts'
import { lockedServer } from '../../../support/locked-server.ts'
import { aRequest } from '../../../support/messages.ts'

const ECHO = { name: 'echo', description: 'Says "Ä" again.', inputSchema: { type: 'object' } }
const OTHER = { name: 'other', inputSchema: {} }

const lockText = (...tools: readonly JsonObject[]): string =>
  stringify({
    version: 1,
    tools: Object.fromEntries(
      tools.map((tool) => [
        stringAt(tool, 'name') ?? '',
        Object.fromEntries(definitionOf('tools', tool)),
      ]),
    ),
  })

const LOCK = lockText(ECHO, OTHER)
const listing =
  (...tools: readonly JsonObject[]): Answers =>
  () => ({ tools })
const CALL = ['tools/call', { name: 'echo' }] as const
const CHANGED = 'the tool lock refuses this: this tool has changed: description differs'

const why = (fault: { readonly message: string } | undefined): string | undefined => fault?.message

describe('a call', () => {
  test('asks for the list once, and goes on', async () => {
    const locked = lockedServer(LOCK, listing(ECHO, OTHER))
    expect(await locked.check(...CALL)).toBeUndefined()
    expect(await locked.check('tools/call', { name: 'other' })).toBeUndefined()
    expect(locked.server.asked).toEqual(['tools/list ""'])
  })

  test('of what is in no lock asks for nothing', async () => {
    const locked = lockedServer(LOCK, listing())
    expect(await locked.check('tools/call', { name: 'shell' })).toMatchObject({
      code: 'not-as-locked',
      message: 'the tool lock refuses this: this tool is not in it',
    })
    expect(await locked.check('prompts/get', { name: 'any' })).toBeUndefined()
    expect(await locked.check('ping', {})).toBeUndefined()
    expect(locked.server.asked).toEqual([])
  })

  test('whose tool has no name that is a text is not decided', async () => {
    const locked = lockedServer(LOCK, listing(ECHO))
    expect(await locked.check('tools/call', { name: ['echo'] })).toMatchObject({
      code: 'invalid-params',
    })
  })

  test.each<[string, Answers, string | RegExp]>([
    ['a changed tool', listing({ ...ECHO, description: 'x' }), CHANGED],
    [
      'a tool that is gone',
      listing(OTHER),
      'the tool lock refuses this: this tool is not listed by the server now',
    ],
    ['one that is there twice', listing(ECHO, { ...ECHO, description: 'x' }), CHANGED],
    [
      'one that is there twice, the other way around',
      listing({ ...ECHO, description: 'x' }, ECHO),
      CHANGED,
    ],
    [
      'an error',
      () => 'sorry',
      'the tool lock refuses this: the server answers tools/list with no list now',
    ],
    [
      'no list',
      () => ({}),
      'the tool lock refuses this: the server answers tools/list with no list now',
    ],
    [
      'a list that is none',
      () => ({ tools: {} }),
      /^the server's answer to tools\/list cannot be used: "tools" is no list/,
    ],
    [
      'pages without end',
      (_method, { cursor }) => ({ tools: [], nextCursor: `${JSON.stringify(cursor)}1` }),
      /^the tool lock refuses this: the server's tools\/list has more than 64 pages/,
    ],
    [
      'pages without measure',
      () => ({ tools: [{ name: 'x'.repeat(6_000_000) }], nextCursor: '1' }),
      /or 16777216 bytes$/,
    ],
    ['silence', () => undefined, 'the server did not answer tools/list within 15000 ms'],
  ])('of %s is refused', async (_what, answers, words) => {
    const locked = lockedServer(LOCK, answers)
    expect(why(await locked.check(...CALL))).toEqual(
      typeof words === 'string' ? words : expect.stringMatching(words),
    )
  })

  test('looks at every page', async () => {
    const locked = lockedServer(LOCK, (_method, { cursor }) =>
      cursor === undefined
        ? { tools: [ECHO], nextCursor: 'b' }
        : { tools: [{ ...ECHO, description: 'x' }] },
    )
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
    expect(locked.server.asked).toEqual(['tools/list ""', 'tools/list "b"'])
  })

  test('what was no answer is asked for again', async () => {
    const locked = lockedServer(LOCK, () => 'not yet')
    expect(await locked.check(...CALL)).toBeDefined()
    locked.server.answers = listing(ECHO)
    expect(await locked.check(...CALL)).toBeUndefined()
  })

  test('a list that changes while it is asked for is asked for again, a few times', async () => {
    const locked = lockedServer(LOCK, () => {
      locked.process.changed()
      return { tools: [ECHO] }
    })
    expect(why(await locked.check(...CALL))).toBe(
      'the tool lock refuses this: what the server lists changes while it is asked for',
    )
    expect(locked.server.asked).toHaveLength(3)
  })
})

describe('what is known', () => {
  const drifted = async () => {
    const locked = lockedServer(LOCK, listing(ECHO, OTHER))
    expect(await locked.check(...CALL)).toBeUndefined()
    locked.server.answers = listing({ ...ECHO, description: 'x' }, OTHER)
    return locked
  }

  test('holds for a minute', async () => {
    const locked = await drifted()
    locked.server.nowMs += 59_999
    expect(await locked.check(...CALL)).toBeUndefined()
    locked.server.nowMs += 1
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
  })

  test('holds until the server says that it has changed', async () => {
    const locked = await drifted()
    locked.process.changed()
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
  })

  test('holds until a list shows something else', async () => {
    const locked = await drifted()
    expect(locked.hears('tools/list', { tools: [{ ...ECHO, description: 'x' }] })).toContain(
      '"tools":[]',
    )
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
    // It is known now: lists that say the same change nothing.
    const asked = locked.server.asked.length
    locked.hears('tools/list', { tools: [{ ...ECHO, description: 'x' }] })
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
    expect(locked.server.asked).toHaveLength(asked)
  })

  test('holds until another lock does', async () => {
    const locked = await drifted()
    locked.lockText = lockText({ ...ECHO, description: 'x' }, OTHER)
    expect(await locked.check(...CALL)).toBeUndefined()
    locked.lockText = LOCK
    expect(why(await locked.check(...CALL))).toBe(CHANGED)
  })

  test('is nothing where each caller brings headers of its own', async () => {
    const locked = await drifted()
    const terms = { headers: () => ({ authorization: 'mine' }) }
    expect(why(await locked.check(...CALL, terms))).toBe(CHANGED)
    expect(why(await locked.check(...CALL, terms))).toBe(CHANGED)
    expect(locked.server.asked).toHaveLength(3)
    expect(await locked.check(...CALL)).toBeUndefined()
  })
})

test('a list lacks what is new, differs, or bears no name', () => {
  const locked = lockedServer(LOCK, listing())
  const tools = [ECHO, { ...OTHER, title: 'x' }, { name: 'shell' }, { name: 1 }, 'echo', null]
  expect(locked.hears('tools/list', { tools, nextCursor: 'x' })).toBe(
    JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools: [ECHO], nextCursor: 'x' } }),
  )
})

test('a list that says all as it was locked passes byte for byte', () => {
  const locked = lockedServer(LOCK, listing())
  const result = { tools: [OTHER, ECHO], more: 9_007_199_254_740_991 }
  expect(locked.hears('tools/list', result)).toBe(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
})

test('findings are logged once each, and no more than some', () => {
  const locked = lockedServer(LOCK, listing())
  for (let times = 0; times < 3; times += 1)
    locked.hears('tools/list', { tools: [{ name: 'shell' }] })
  expect(locked.lines).toHaveLength(1)
  expect(locked.findings).toHaveLength(3)
  for (let index = 0; index < 2000; index += 1) {
    locked.hears('tools/list', { tools: [{ name: `shell${index}` }] })
  }
  expect(locked.lines).toHaveLength(257)
  expect(locked.lines.at(-1)).toContain('more is not as it was locked than is told here')
  expect(locked.findings).toHaveLength(2003)
})

test.each([
  ['tools/call', { name: 'shell' }, { kind: 'tools', name: 'shell', why: 'is not in it' }],
  ['tools/call', { name: 'x'.repeat(9999) }, { kind: 'tools', name: 'x'.repeat(256) }],
])(
  'what a caller asks for by %s that is not locked is logged by its name',
  async (method, params, fields) => {
    const locked = lockedServer(LOCK, listing())
    await locked.check(method, params)
    await locked.check(method, params)
    expect(locked.lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({
        message: 'a caller asked for what is not locked',
        action: 'refused',
        ...fields,
      }),
    ])
  },
)

test('of a resource that is not locked no query is logged', async () => {
  const empty = LOCK + stringify({ resources: {}, resourceTemplates: {} })
  const locked = lockedServer(empty, listing())
  await locked.check('resources/read', { uri: 'https://x.example/a?key=secret#b' })
  expect(locked.lines).toEqual([expect.stringContaining('"name":"https://x.example/a"')])
})

test('what callers make up keeps nothing of the server from being told', async () => {
  const locked = lockedServer(LOCK, listing())
  for (let index = 0; index < 500; index += 1) {
    await locked.check('tools/call', { name: `made-up-${index}` })
  }
  expect(locked.lines).toHaveLength(65)
  expect(locked.lines.at(-1)).toContain('more was asked for that is not locked than is told here')
  locked.hears('tools/list', { tools: [{ name: 'shell' }] })
  expect(locked.lines.at(-1)).toContain('"name":"shell"')
})

test('a lock that only reports refuses nothing, and keeps nobody waiting', () => {
  const locked = lockedServer(
    LOCK.replace('version: 1', 'version: 1\nmode: report'),
    () => undefined,
  )
  for (const name of ['echo', 'shell', 1]) {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } })
    expect(locked.process.check(aRequest(text))).toBeUndefined()
  }
})
