import { describe, expect, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import type { Described } from '../../../../cli/tools/described.ts'
import { changesSince, documentOf, lockText } from '../../../../cli/tools/lock-document.ts'
import { lockOf, readLock } from '../../../../shared/lock/lock.ts'
import { LOCKED_KINDS, type LockedKind } from '../../../../shared/lock/kinds.ts'

const GOLDEN = new URL('../../../golden/tool-lock.yaml', import.meta.url)
const ECHO = { name: 'echo', description: 'Says it.', inputSchema: { type: 'object' } }
const SERVER: Described = {
  server: { name: 'one', version: '1.0' },
  instructions: 'Be kind.',
  lists: {
    tools: [ECHO, { name: 'b', inputSchema: {} }, { name: 'Ä: "1"', inputSchema: {} }],
    prompts: [{ name: 'greet' }],
    resources: [{ uri: 'note://one', name: 'One' }],
    resourceTemplates: [{ uriTemplate: 'file:///{path}', name: 'Files' }],
  },
}

const withTools = (...tools: Described['lists']['tools']): Described => ({
  ...SERVER,
  lists: { ...SERVER.lists, tools },
})

const textOf = (described: Described, kinds: readonly LockedKind[] = LOCKED_KINDS): string => {
  const document = documentOf(described, kinds, 'enforce')
  if (!document.ok) throw new Error(document.error.join())
  const text = lockText(document.value)
  if (!text.ok) throw new Error(text.error)
  return text.value
}

describe('a lock', () => {
  test('is the same each time, whatever the order in which a server lists', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, textOf(SERVER))
    expect(textOf(SERVER)).toBe(readFileSync(GOLDEN, 'utf8'))
    expect(textOf(withTools(...SERVER.lists.tools.toReversed()))).toBe(textOf(SERVER))
  })

  test('is read as it was written', () => {
    const document = documentOf(SERVER, LOCKED_KINDS, 'enforce')
    expect(readLock(textOf(SERVER))).toEqual({
      ok: true,
      value: document.ok && lockOf(document.value),
    })
  })

  test('leaves out the kinds that are not wanted', () => {
    expect(textOf(SERVER, ['prompts'])).not.toMatch(/^(?:tools|resources|resourceTemplates):/m)
  })

  test.each([
    [
      'twice, and not alike',
      [ECHO, { ...ECHO, description: 'x' }],
      ['the tool "echo" is listed twice, and not alike'],
    ],
    ['twice alike', [ECHO, { ...ECHO }], undefined],
    [
      'a name that no mapping holds',
      [{ name: '__proto__' }],
      ['the tool "__proto__" bears a name that no lock can hold'],
    ],
  ])('a tool %s', (_what, tools, error) => {
    const document = documentOf(withTools(...tools), LOCKED_KINDS, 'enforce')
    expect(document.ok ? undefined : document.error).toEqual(error)
  })

  test('has a bound, and says so', () => {
    const name = 'n'.repeat(600)
    const tools = Array.from({ length: 1000 }, (_, index) => ({ name: `${name}${index}` }))
    const document = documentOf(withTools(...tools), LOCKED_KINDS, 'enforce')
    expect(document.ok && lockText(document.value)).toMatchObject({
      ok: false,
      error: expect.stringMatching(/^the lock would have \d+ characters, and may have 524288/),
    })
  })
})

describe('what has changed since', () => {
  const lock = readLock(textOf(SERVER))
  test.each<[string, Described, readonly string[]]>([
    ['nothing', SERVER, []],
    ['other numbers of its version', { ...SERVER, server: { version: '2' } }, []],
    ['instructions', { ...SERVER, instructions: 'x' }, ["the server's instructions have changed"]],
    [
      'no instructions',
      { ...SERVER, instructions: undefined },
      ["the server's instructions have changed"],
    ],
    [
      'a description and a schema',
      withTools({ ...ECHO, description: 'x', inputSchema: {} }, ...SERVER.lists.tools.slice(1)),
      ['the tool "echo" has changed: description differs, inputSchema differs'],
    ],
    [
      'a tool that is new and one that is gone',
      withTools(...SERVER.lists.tools.slice(1), { name: 'shell' }),
      ['the tool "echo" is gone', 'the tool "shell" is new'],
    ],
    [
      'a name that would steer a terminal',
      withTools(...SERVER.lists.tools, { name: 'a\u009b2J\u202E' }),
      ['the tool "a\\u009b2J\\u202e" is new'],
    ],
    [
      'one that is listed twice',
      withTools(...SERVER.lists.tools, { name: 'echo' }),
      ['the tool "echo" is listed twice, and not alike'],
    ],
    [
      'the other kinds',
      { ...SERVER, lists: { ...SERVER.lists, prompts: [], resources: [], resourceTemplates: [] } },
      [
        'the prompt "greet" is gone',
        'the resource "note://one" is gone',
        'the resource template "file:///{path}" is gone',
      ],
    ],
  ])('%s', (_what, described, changes) => {
    expect(lock.ok && changesSince(lock.value, described)).toEqual(changes)
  })

  test('of what is not locked nothing is said', () => {
    const partly = readLock('version: 1')
    expect(partly.ok && changesSince(partly.value, SERVER)).toEqual([])
  })
})
