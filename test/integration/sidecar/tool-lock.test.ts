// `outrigger run --tool-lock`: what a server changes after it was locked is neither listed nor called, in both eras, told of
// or not, and whoever never lists finds no way around.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { recordSchema } from '../../../shared/audit/record.ts'
import { adminOf, type Admin } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { CHECKOUT_CLI, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import {
  askModern,
  modern,
  note,
  openLegacy,
  rpc,
  toolCall,
  type Json,
} from '../../support/puppet.ts'
import { messageIn } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'

const SERVER = [
  process.execPath,
  fileURLToPath(new URL('../../fixtures/drifting-server.ts', import.meta.url)),
]

let folder: string
let lock: string
let text: string

/** Put there whole, as a ConfigMap is. */
const write = (path: string, content: string): void => {
  writeFileSync(`${path}.new`, content)
  renameSync(`${path}.new`, path)
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-lock-'))
  lock = join(folder, 'lock.yaml')
  text = execFileSync(process.execPath, [CHECKOUT_CLI, 'tools', 'lock', '--', ...SERVER], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  writeFileSync(lock, text)
})

afterAll(() => rmSync(folder, { recursive: true }))

interface Talk {
  readonly ask: (method: string, params?: Json) => Promise<string>
  /** The answer to initialize, or to server/discover. */
  readonly first: () => Promise<string>
}

/** What a list names, over all its pages. */
const namesIn = async ({ ask }: Talk, method: string): Promise<readonly string[]> => {
  const names: string[] = []
  for (let cursor: string | undefined = '0'; cursor !== undefined;) {
    const answer: string = await ask(method, { cursor })
    const key = method === 'resources/list' ? 'uri' : 'name'
    for (const [, name = ''] of answer.matchAll(new RegExp(`\\{"${key}":"([^"]*)"`, 'g'))) {
      names.push(name)
    }
    for (const [, name = ''] of answer.matchAll(/"uriTemplate":"([^"]*)"/g)) names.push(name)
    cursor = /"nextCursor":"([^"]*)"/.exec(answer)?.[1]
  }
  return names
}

const legacyTalk = async (url: string): Promise<Talk> => {
  const session = await openLegacy(url)
  const ask: Talk['ask'] = async (method, params = {}) =>
    messageIn(await session.post(rpc(method, params)))
  return { ask, first: () => Promise.resolve(session.opened.text) }
}

const modernTalk = (url: string): Promise<Talk> => {
  const ask: Talk['ask'] = (method, params = {}) => {
    const { name, uri } = params
    const named = name ?? uri
    const { body, headers } = modern(method, params)
    return askModern(url, {
      body,
      headers: { ...headers, ...(typeof named === 'string' ? { 'mcp-name': named } : {}) },
    })
  }
  return Promise.resolve({ ask, first: () => ask('server/discover') })
}

const ERAS = [
  { era: 'legacy', talkTo: legacyTalk },
  { era: 'modern', talkTo: modernTalk },
] as const

interface Row {
  readonly change: string
  /** The list that lacks it, and what it lacks. */
  readonly list: readonly [method: string, name: string]
  /** What is refused. */
  readonly use: readonly [method: string, params: Json]
  readonly why: string
}

const ECHO = ['tools/call', { name: 'echo', arguments: { text: 'a' } }] as const
const CHANGED = 'the tool lock refuses this: this tool has changed'

const ROWS: readonly Row[] = [
  {
    change: 'description',
    list: ['tools/list', 'echo'],
    use: ECHO,
    why: `${CHANGED}: description differs`,
  },
  {
    change: 'schema',
    list: ['tools/list', 'echo'],
    use: ECHO,
    why: `${CHANGED}: inputSchema differs`,
  },
  {
    change: 'annotations',
    list: ['tools/list', 'echo'],
    use: ECHO,
    why: `${CHANGED}: annotations differs`,
  },
  {
    change: 'tool',
    list: ['tools/list', 'shell'],
    use: ['tools/call', { name: 'shell', arguments: {} }],
    why: 'the tool lock refuses this: this tool is not in it',
  },
  {
    change: 'prompt',
    list: ['prompts/list', 'greet'],
    use: ['prompts/get', { name: 'greet' }],
    why: 'the tool lock refuses this: this prompt has changed: description differs',
  },
  {
    change: 'prompts',
    list: ['prompts/list', 'obey'],
    use: ['prompts/get', { name: 'obey' }],
    why: 'the tool lock refuses this: this prompt is not in it',
  },
  {
    change: 'resource',
    list: ['resources/list', 'note://one'],
    use: ['resources/read', { uri: 'note://one' }],
    why: 'the tool lock refuses this: this resource has changed: name differs',
  },
  {
    change: 'resources',
    list: ['resources/list', 'note://two'],
    use: ['resources/read', { uri: 'note://two' }],
    why: 'the tool lock refuses this: this resource is not in it',
  },
  {
    change: 'template',
    list: ['resources/templates/list', 'file:///{path}'],
    use: ['resources/read', { uri: 'file:///a' }],
    why: 'the tool lock refuses this: this resource has changed: name differs',
  },
  {
    change: 'templates',
    list: ['resources/templates/list', 'db://{table}'],
    use: ['resources/read', { uri: 'db://users' }],
    why: 'the tool lock refuses this: this resource is not in it',
  },
]

const drift = async ({ ask }: Talk, to: readonly string[], tell = false): Promise<void> => {
  expect(await ask('tools/call', { name: 'drift', arguments: { to, tell } })).toContain('drifted')
}

const isRefused = (answer: string): boolean => answer.includes('"code":"not-as-locked"')

const startLocked = async (
  path: string,
  ...more: readonly string[]
): Promise<Bridge & { admin: Admin }> => {
  const port = await freePort()
  const flags = ['--tool-lock', path, '--admin-port', `${port}`, ...more]
  return { ...(await startOutrigger(SERVER, { flags })), admin: adminOf(port) }
}

describe.each(ERAS)('a $era client', ({ talkTo }) => {
  let bridge: Bridge

  beforeAll(async () => {
    bridge = await startLocked(lock)
  })

  afterAll(() => bridge.stop())

  test('sees and uses all that is as it was locked', async () => {
    const talk = await talkTo(bridge.url)
    expect(await talk.first()).toContain('"instructions":"Be kind."')
    expect(await namesIn(talk, 'tools/list')).toEqual(['drift', 'echo', 'other', 'calls'])
    for (const { use } of ROWS.filter(({ why }) => !why.endsWith('is not in it'))) {
      const answer = await talk.ask(...use)
      expect([use, isRefused(answer), answer.includes('"result"')]).toEqual([use, false, true])
    }
  })

  test.each(ROWS)('neither sees nor uses a changed $change', async ({ change, list, use, why }) => {
    const talk = await talkTo(bridge.url)
    await drift(talk, [change])
    const [method, name] = list
    expect(await namesIn(talk, method)).not.toContain(name)
    const answer = await talk.ask(...use)
    expect(answer).toContain(`"message":"${why}"`)
    // What has not changed goes on, and what is as it was again does, too.
    await drift(talk, [], true)
    expect(isRefused(await talk.ask(...ECHO))).toBe(false)
  })

  test.each(ROWS)(
    'uses no changed $change that it has never listed',
    async ({ change, use, why }) => {
      const talk = await talkTo(bridge.url)
      await drift(talk, [change], true)
      expect(await talk.ask(...use)).toContain(`"message":"${why}"`)
      await drift(talk, [], true)
    },
  )

  test('uses nothing that is listed twice, and not alike', async () => {
    const talk = await talkTo(bridge.url)
    await drift(talk, ['twice'], true)
    expect(await talk.ask(...ECHO)).toContain(CHANGED)
    expect(await namesIn(talk, 'tools/list')).toEqual(['drift', 'other', 'calls'])
    await drift(talk, [], true)
  })

  test('completes nothing of a prompt or a template that is not locked', async () => {
    const talk = await talkTo(bridge.url)
    const complete = (ref: Json): Promise<string> =>
      talk.ask('completion/complete', { ref, argument: { name: 'a', value: '' } })
    expect(isRefused(await complete({ type: 'ref/prompt', name: 'greet' }))).toBe(false)
    expect(isRefused(await complete({ type: 'ref/resource', uri: 'file:///{path}' }))).toBe(false)
    expect(isRefused(await complete({ type: 'ref/prompt', name: 'obey' }))).toBe(true)
    expect(isRefused(await complete({ type: 'ref/resource', uri: 'db://{table}' }))).toBe(true)
    expect(await complete({ type: 'ref/other' })).toContain('"code":"invalid-params"')
  })

  test.each([
    ['up', 'file:///../etc'],
    ['an escape', 'file:///%2e%2e/etc'],
    ['nothing', ''],
  ])('reads no URI that a template matches in one spelling only: %s', async (_what, uri) => {
    const talk = await talkTo(bridge.url)
    expect(isRefused(await talk.ask('resources/read', { uri }))).toBe(true)
  })
})

test('instructions that have changed are gone, and clients live on', async () => {
  const bridge = await startOutrigger([...SERVER, 'instructions'], {
    flags: ['--tool-lock', lock],
  })
  try {
    for (const { talkTo } of ERAS) {
      const talk = await talkTo(bridge.url)
      expect(await talk.first()).toContain('"instructions":""')
      expect(isRefused(await talk.ask(...ECHO))).toBe(false)
    }
  } finally {
    await bridge.stop()
  }
})

test('a batch and a notification find no way around', async () => {
  const bridge = await startLocked(lock)
  try {
    const session = await openLegacy(bridge.url, '2025-03-26')
    await session.post(`[${toolCall('drift', { to: ['tool'], tell: true })}]`)
    const [shell, other] = [toolCall('shell'), toolCall('other').replace('"id":1', '"id":2')]
    const { text: answers } = await session.post(`[${shell},${other}]`)
    expect(answers).toContain('this tool is not in it')
    expect(answers).toContain('called other')
    await session.post(note('tools/call', { name: 'shell', arguments: {} }))
    const seen = await session.call('calls')
    expect(seen).toContain('tools/call other')
    expect(seen).not.toContain('shell')
  } finally {
    await bridge.stop()
  }
})

test('a lock that only reports lets all through, and tells of it once', async () => {
  const path = join(folder, 'report.yaml')
  write(path, text.replace('mode: enforce', 'mode: report'))
  const bridge = await startLocked(path)
  const findings = () => bridge.stderr().match(/"why":"has changed: description differs"/g)
  try {
    const talk = await legacyTalk(bridge.url)
    await drift(talk, ['description', 'tool'], true)
    for (let times = 0; times < 3; times += 1) {
      expect(await namesIn(talk, 'tools/list')).toEqual([
        'drift',
        'echo',
        'other',
        'calls',
        'shell',
      ])
      expect(await talk.ask(...ECHO)).toContain('called echo')
    }
    const { text: metrics } = await bridge.admin.get('/metrics')
    expect(metrics).toMatch(
      /^outrigger_tool_lock_findings_total\{kind="tools",action="reported"\} [1-9]/m,
    )
  } finally {
    await bridge.stop()
  }
  // All that it has said is read.
  expect(findings()).toHaveLength(1)
})

test('a lock that changes holds for living sessions; one that cannot be used leaves the last good one', async () => {
  const path = join(folder, 'kept.yaml')
  write(path, text)
  const records = join(folder, 'audit.jsonl')
  const bridge = await startLocked(path, '--audit-file', records)
  try {
    const talk = await legacyTalk(bridge.url)
    expect(isRefused(await talk.ask(...ECHO))).toBe(false)
    write(path, without('echo'))
    await untilRefused(talk, true)
    expect(await namesIn(talk, 'tools/list')).not.toContain('echo')
    write(path, 'version: 2\n')
    await until(() => bridge.stderr().includes('the tool lock is not taken'), 'it is refused')
    expect(isRefused(await talk.ask(...ECHO))).toBe(true)
    write(path, text)
    await untilRefused(talk, false)
  } finally {
    await bridge.stop()
  }
  const lines = readFileSync(records, 'utf8').split('\n').slice(0, -1)
  const known = lines.map((line) => recordSchema.parse(JSON.parse(line)))
  expect(known.flatMap((one) => (one.event === 'reload' ? [one] : []))).toMatchObject([
    { what: 'tool-lock', outcome: 'taken' },
    { what: 'tool-lock', outcome: 'refused' },
    { what: 'tool-lock', outcome: 'taken' },
  ])
  expect(known.filter(({ event }) => event === 'lock-finding')).toMatchObject([
    { kind: 'tools', name: 'echo', why: 'is not in the tool lock', action: 'hidden' },
  ])
})

/** The lock without one of its tools. */
const without = (tool: string): string =>
  text.replace(new RegExp(`\\n {2}${tool}:\\n(?: {4}.*\\n)+`), '\n')

test('a base lock holds beside the own one, whatever that is changed to', async () => {
  const [path, config] = [join(folder, 'own.yaml'), join(folder, 'base.yaml')]
  write(path, without('echo'))
  write(config, `baseLock:\n${without('other').replace(/^(?=.)/gm, '  ')}`)
  const bridge = await startLocked(path, '--config', config)
  try {
    const talk = await legacyTalk(bridge.url)
    const other = () => talk.ask('tools/call', { name: 'other', arguments: {} })
    expect(await namesIn(talk, 'tools/list')).toEqual(['drift', 'calls'])
    expect(isRefused(await talk.ask(...ECHO))).toBe(true)
    expect(isRefused(await other())).toBe(true)
    write(path, text.replace('mode: enforce', 'mode: report'))
    await untilRefused(talk, false)
    expect(isRefused(await other())).toBe(true)
    expect(await namesIn(talk, 'tools/list')).toEqual(['drift', 'echo', 'calls'])
    const calls = await talk.ask('tools/call', { name: 'calls', arguments: {} })
    expect(calls).not.toContain('tools/call other')
  } finally {
    await bridge.stop()
  }
})

const untilRefused = (talk: Talk, is: boolean): Promise<true> =>
  until(async () => isRefused(await talk.ask(...ECHO)) === is, is ? 'it is refused' : 'it is taken')

describe.each(ERAS)('arguments of a $era client', ({ talkTo }) => {
  test('are refused where the schema of the tool does not want them, and the server hears nothing of it', async () => {
    const bridge = await startLocked(lock, '--validate-arguments', 'true')
    try {
      const talk = await talkTo(bridge.url)
      const echo = (args: Json) => talk.ask('tools/call', { name: 'echo', arguments: args })
      expect(await echo({ text: 'short' })).toContain('called echo')
      const refused = await echo({ text: 'too long' })
      expect(refused).toContain('"code":-32602')
      expect(refused).toContain('the argument at /text must have at most 5 characters')
      expect(await echo({})).toContain('must have \\"text\\"')
      const calls = await talk.ask('tools/call', { name: 'calls', arguments: {} })
      expect(calls.match(/tools\/call echo/g)).toHaveLength(1)
      // The lock goes first: by a schema that has changed nothing is checked.
      await drift(talk, ['schema'], true)
      expect(isRefused(await echo({ text: 'too long' }))).toBe(true)
    } finally {
      await bridge.stop()
    }
  })
})
