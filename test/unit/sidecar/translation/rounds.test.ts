// What a legacy server asks of the client of a modern call: it is put in the call's answer, and the call goes on with
// whoever brings the reply, who can only be its own caller.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Permit } from '../../../../sidecar/access/permit.ts'
import type { FakeReply } from '../../../support/fake-reply.ts'
import { permitOf, permitOfClient, permitWith } from '../../../support/principals.ts'
import {
  CLIENT_MS,
  REQUEST_MS,
  TranslatedProcesses,
} from '../../../support/translated-processes.ts'

const A = permitOf('https://issuer.example a')
const B = permitOf('https://issuer.example b')
const ASKABLE =
  '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{"tools":{}},"roots":{"listChanged":true},"x":{}}'

let all: TranslatedProcesses
beforeEach(() => {
  all = new TranslatedProcesses('session', 64, true)
})

const call = (of = 'one', meta = ASKABLE, permit = A): Promise<FakeReply> =>
  all.post(permit, 'tools/call', of, { meta })

const question = (id: string, method = 'elicitation/create', params = '{"message":"ä?"}'): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`
/** The server asks, and the moment in which it could ask more is over. */
const asks = async (index = 0, text = question('"q"')): Promise<void> => {
  await all.says(index, text)
  await all.moment()
}

type Told = {
  readonly result?: {
    readonly resultType: string
    readonly inputRequests?: Readonly<Record<string, object>>
    readonly requestState?: string
  }
  readonly error?: { readonly code: number; readonly data?: object }
}
const told = async (reply: FakeReply): Promise<Told> =>
  JSON.parse(Buffer.from(await reply.body(), 'latin1').toString())
const stateIn = async (reply: FakeReply): Promise<string> => {
  const state = (await told(reply)).result?.requestState
  if (state === undefined) throw new Error(`nothing is asked: ${await reply.body()}`)
  return state
}

const ACCEPTED = '{"input-1":{"action":"accept","content":{"n":9007199254740993}}}'
const bring = (
  state: string,
  { of = 'one', responses = ACCEPTED, permit = A }: Partial<Bringing> = {},
  meta = ASKABLE,
): Promise<FakeReply> => {
  const params = `"inputResponses":${responses},"requestState":${JSON.stringify(state)}`
  return all.post(permit, 'tools/call', of, { meta, params })
}
type Bringing = { readonly of: string; readonly responses: string; readonly permit: Permit }

const sent = (index = 0): readonly string[] => all.link(index).sent
const REFUSED = { error: { code: -32_602 } }

describe('a question', () => {
  test('is the answer of its call, which goes on with what the client brings', async () => {
    const first = await call()
    expect(sent()[0]).toContain(
      '"capabilities":{"elicitation":{},"sampling":{"tools":{}},"roots":{}}',
    )
    await asks()
    expect(await told(first)).toMatchObject({
      result: {
        resultType: 'input_required',
        inputRequests: { 'input-1': { method: 'elicitation/create', params: { message: 'ä?' } } },
      },
    })
    const second = await bring(await stateIn(first))
    expect(sent().at(-1)).toBe(
      '{"jsonrpc":"2.0","id":"q","result":{"action":"accept","content":{"n":9007199254740993}}}',
    )
    await all.answer(0, 'one')
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
    expect(all.questions).toEqual([undefined])
    expect(all.source.links).toHaveLength(1)
  })

  test('may be one of several, each answered by its key', async () => {
    const first = await call()
    await all.says(0, question('1'))
    await all.says(0, question('2', 'roots/list', '{}'))
    await all.moment()
    const { inputRequests } = (await told(first)).result ?? {}
    expect(Object.keys(inputRequests ?? {})).toEqual(['input-1', 'input-2'])
    const again = await bring(await stateIn(first), {
      responses: '{"input-2":{"roots":[]},"other":{"ignored":true}}',
    })
    expect(sent().at(-1)).toBe('{"jsonrpc":"2.0","id":2,"result":{"roots":[]}}')
    // What it has not brought it is asked once more.
    expect(Object.keys((await told(again)).result?.inputRequests ?? {})).toEqual(['input-1'])
    await bring(await stateIn(again))
    expect(sent().at(-1)).toContain('{"jsonrpc":"2.0","id":1,"result"')
  })

  test('may follow another', async () => {
    const first = await call()
    await asks(0, question('1'))
    const second = await bring(await stateIn(first))
    await asks(0, question('2', 'sampling/createMessage'))
    const third = await bring(await stateIn(second), {
      responses: '{"input-2":{"role":"assistant"}}',
    })
    await all.answer(0, 'one')
    expect(await told(third)).toMatchObject({ result: { resultType: 'complete' } })
  })

  test.each([
    ['a number', '5'],
    ['null', 'null'],
    ['a list', '[{}]'],
    ['no object under its key', '{"input-1":7}'],
    ['nothing', '{}'],
  ])('answered by %s is put once more', async (_name, responses) => {
    const first = await call()
    await asks()
    const before = sent().length
    const again = await bring(await stateIn(first), { responses })
    expect(await told(again)).toMatchObject({ result: { resultType: 'input_required' } })
    expect(sent()).toHaveLength(before)
  })

  test('has its progress under the token of whoever waits then', async () => {
    const first = await call('one', `${ASKABLE},"progressToken":"first"`)
    await asks()
    const second = await bring(await stateIn(first), {}, `${ASKABLE},"progressToken":2`)
    await all.progress(0, 'one')
    await all.answer(0, 'one')
    expect(await second.body()).toContain('"progressToken":2,')
    expect(await second.body()).not.toContain('first')
  })

  test('is not the server’s time', async () => {
    const first = await call()
    await all.sweep(REQUEST_MS / 2)
    await asks()
    await all.sweep(REQUEST_MS)
    const second = await bring(await stateIn(first))
    await all.sweep(REQUEST_MS / 2 - 1)
    await all.answer(0, 'one')
    expect(await second.body()).toContain('"resultType":"complete"')
  })
})

describe('a question that the server takes back', () => {
  const takesBack = (id: string): Promise<void> =>
    all.says(0, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`)

  test('is not put, and the call goes on', async () => {
    const first = await call()
    await all.says(0, question('"q"'))
    await takesBack('"q"')
    await all.moment()
    await all.answer(0, 'one')
    expect(await told(first)).toMatchObject({ result: { resultType: 'complete' } })
    expect(all.questions).toEqual(['cancelled'])
    expect(all.budget.of('calls')).toBe(0)
  })

  test('once it is put, is answered to nobody', async () => {
    const first = await call()
    await all.says(0, question('1'))
    await asks(0, question('2'))
    await takesBack('1.0')
    await takesBack('"no such"')
    const responses = '{"input-1":{"action":"accept"},"input-2":{"action":"decline"}}'
    const second = await bring(await stateIn(first), { responses })
    expect(sent().slice(-1)).toEqual(['{"jsonrpc":"2.0","id":2,"result":{"action":"decline"}}'])
    await all.answer(0, 'one')
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete' } })
    expect(all.questions).toEqual(['cancelled', undefined])
  })
})

describe('a question that the tool policy denies from then on', () => {
  const DENIED = '"id":"q","error":{"code":-32601,"message":"denied: the tool policy'
  let mayBeAsked: boolean
  let state: string
  const permit = permitWith('https://issuer.example a', { mayBeAsked: () => mayBeAsked })
  beforeEach(async () => {
    mayBeAsked = true
    const first = await call('one', ASKABLE, permit)
    await asks()
    state = await stateIn(first)
    mayBeAsked = false
  })

  test('is denied at once, and holds its process no longer than the server wants', async () => {
    all.modern.endBlocked()
    expect(sent().at(-1)).toContain(DENIED)
    expect(all.questions).toEqual(['denied'])
    await all.answer(0, 'one')
    await call('two', ASKABLE, permit)
    expect(all.where('two')).toBe(0)
    const second = await bring(state, { permit })
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
  })

  test('is not answered by what its client brings', async () => {
    const second = await bring(state, { permit })
    expect(sent().at(-1)).toContain(DENIED)
    await all.answer(0, 'one')
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
    expect(all.questions).toEqual(['denied'])
  })
})

test('a question is on record with its caller as the request at hand has shown it', async () => {
  const as = (client: string): Permit => permitOfClient('https://issuer.example a', client)
  await call('one', ASKABLE, as('first'))
  await all.answer(0, 'one')
  const second = await call('two', ASKABLE, as('second'))
  await asks(0, question('1'))
  const params = `"inputResponses":{"input-1":{}},"requestState":"${await stateIn(second)}"`
  await all.post(as('third'), 'tools/call', 'two', { meta: ASKABLE, params })
  await asks(0, question('2'))
  await all.says(0, question('3', 'com.example/ask'))
  expect(all.asked).toEqual(['second', 'third', 'third'])
})

describe('a question that cannot be put', () => {
  test.each<[string, string, string, object]>([
    ['without the capability', question('1'), '{"sampling":{}}', { elicitation: {} }],
    [
      'by a URL, without that',
      question('1', 'elicitation/create', '{"mode":"url"}'),
      '{"elicitation":{"form":{}}}',
      { elicitation: { url: {} } },
    ],
  ])('%s ends the call', async (_name, text, capabilities, requiredCapabilities) => {
    const meta = `"io.modelcontextprotocol/clientCapabilities":${capabilities}`
    const first = await call('one', meta)
    await asks(0, text)
    expect(await told(first)).toMatchObject({
      error: { code: -32_021, data: { requiredCapabilities } },
    })
    expect(await first.received()).toContain('HTTP/1.1 400')
    expect(sent().some((one) => one.includes('"id":1,"error":{"code":-32601'))).toBe(true)
    expect(all.link(0).isClosed).toBe(true)
  })

  test('since no client is asked such a thing, is refused, and the call goes on', async () => {
    const first = await call()
    await asks(0, question('1', 'com.example/ask'))
    expect(sent().at(-1)).toContain('"id":1,"error":{"code":-32601')
    await all.answer(0, 'one')
    expect(await told(first)).toMatchObject({ result: { resultType: 'complete' } })
  })

  test('by the tool policy, is denied, and the call goes on', async () => {
    const permit = permitWith('https://issuer.example a', { mayBeAsked: () => false })
    const first = await call('one', ASKABLE, permit)
    await asks()
    expect(sent().at(-1)).toContain('denied: the tool policy')
    await all.answer(0, 'one')
    expect(await told(first)).toMatchObject({ result: { resultType: 'complete' } })
    expect(all.questions).toEqual(['denied'])
  })

  test('since strangers share the process, is refused', async () => {
    all = new TranslatedProcesses('shared')
    const first = await call()
    expect(sent()[0]).toContain('"capabilities":{}')
    await asks()
    expect(await told(first)).toMatchObject({ error: { code: -32_021 } })
  })

  test('since the server asks too much, is refused', async () => {
    const first = await call()
    for (let id = 1; id <= 20; id += 1) await all.says(0, question(`${id}`))
    await all.moment()
    expect(Object.keys((await told(first)).result?.inputRequests ?? {})).toHaveLength(16)
    expect(sent().at(-1)).toContain('"id":20,"error"')
  })

  test.each([
    ['too deep to be put in an answer', `{"x":${'['.repeat(125)}${']'.repeat(125)}}`],
    ['too large', `{"message":"${'x'.repeat(1024 * 1024)}"}`],
  ])('since it is %s, is refused, and the call goes on', async (_name, params) => {
    const first = await call()
    await asks(0, question('7', 'elicitation/create', params))
    expect(sent().at(-1)).toContain('"id":7,"error"')
    await all.answer(0, 'one')
    expect(await told(first)).toMatchObject({ result: { resultType: 'complete' } })
  })

  test('since nobody has a call there, is refused', async () => {
    await call()
    await all.answer(0, 'one')
    await asks()
    expect(sent().at(-1)).toContain('"id":"q","error":{"code":-32601')
  })
})

describe('a state', () => {
  let first: FakeReply
  let state: string
  beforeEach(async () => {
    first = await call()
    await asks()
    state = await stateIn(first)
  })

  test.each<[string, (state: string) => string, Partial<Bringing>]>([
    ['of another caller', (own) => own, { permit: B }],
    ['of another request', (own) => own, { of: 'two' }],
    ['that is longer', (own) => `${own}x`, {}],
    ['that is shorter', (own) => own.slice(0, -1), {}],
    ['with another handle', (own) => own.replace('handle-0', 'handle-1'), {}],
    ['with another time', (own) => own.replace(/\.\d+\./, '.999999.'), {}],
    ['that is empty', () => '', {}],
    ['that is long', () => 'x'.repeat(100_000), {}],
  ])('%s takes nothing up', async (_name, change, by) => {
    const before = sent().length
    expect(await told(await bring(change(state), by))).toMatchObject(REFUSED)
    expect(sent()).toHaveLength(before)
    // Its own still does.
    await bring(state)
    expect(sent()).toHaveLength(before + 1)
  })

  test('is good for once', async () => {
    await bring(state)
    expect(await told(await bring(state))).toMatchObject(REFUSED)
  })

  test('has its time, and then the process ends and the server hears so', async () => {
    await all.sweep(CLIENT_MS - 1)
    expect(all.link(0).isClosed).toBe(false)
    await all.sweep(1)
    expect(sent().some((one) => one.includes('"id":"q","error":{"code":-32001'))).toBe(true)
    expect(sent().at(-1)).toContain('notifications/cancelled')
    expect(all.link(0).isClosed).toBe(true)
    expect(await told(await bring(state))).toMatchObject(REFUSED)
    expect(all.questions).toEqual(['timeout'])
    expect(all.ends).toEqual(['given-up'])
  })

  test('brings the answer where the server has not waited, and others have its process meanwhile', async () => {
    await all.answer(0, 'one')
    await call('two')
    expect(all.where('two')).toBe(0)
    const second = await bring(state)
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
    expect(sent().at(-1)).toContain('"id":"q","result":{"action":"accept"')
    await all.answer(0, 'two')
    expect(await told(await bring(state))).toMatchObject(REFUSED)
  })

  test('of a call that is answered has its time all the same, and the process goes on', async () => {
    await all.answer(0, 'one')
    await all.sweep(CLIENT_MS)
    expect(all.link(0).isClosed).toBe(false)
    expect(await told(await bring(state))).toMatchObject(REFUSED)
    expect(all.questions).toEqual(['timeout'])
  })

  test('is nobody’s where the server has ended', async () => {
    all.link(0).ends({ message: 'it has gone' })
    await all.settle()
    expect(await told(await bring(state))).toMatchObject(REFUSED)
    expect(all.ends).toEqual(['server'])
  })

  test('is lost with whoever brings it and hangs up', async () => {
    const second = await bring(state)
    await second.hangUp()
    await all.settle()
    expect(sent().at(-1)).toContain('notifications/cancelled')
    expect(all.link(0).isClosed).toBe(true)
  })

  test('of its call pins the process, and others get others', async () => {
    await call('two')
    await all.sweep(100)
    expect(all.where('two')).toBe(1)
  })
})

describe('a caller whom the tool policy denies everything from now on', () => {
  let rule: string | undefined
  const permit = permitWith('https://issuer.example a', { blockedBy: () => rule })
  let state: string
  beforeEach(async () => {
    rule = undefined
    const first = await call('one', ASKABLE, permit)
    await asks()
    state = await stateIn(first)
    const others = await call('theirs', ASKABLE, B)
    await asks(1)
    expect(await told(others)).toMatchObject({ result: { resultType: 'input_required' } })
  })

  test('has no call any more that waits, and others keep theirs', async () => {
    rule = 'nobody'
    all.modern.endBlocked()
    expect(sent().some((one) => one.includes('"id":"q","error":{"code":-32001'))).toBe(true)
    expect(sent().at(-1)).toContain('notifications/cancelled')
    expect([all.link(0).isClosed, all.link(1).isClosed]).toEqual([true, false])
    expect(all.questions).toEqual(['cancelled'])
    rule = undefined
    expect(await told(await bring(state, { permit }))).toMatchObject(REFUSED)
  })

  test('has no answer kept, either', async () => {
    await all.answer(0, 'one')
    const kept = all.budget.of('calls')
    rule = 'nobody'
    all.modern.endBlocked()
    expect(all.budget.of('calls')).toBeLessThan(kept)
    expect(all.questions).toEqual(['cancelled'])
    rule = undefined
    expect(await told(await bring(state, { permit }))).toMatchObject(REFUSED)
  })
})

describe('nothing is kept', () => {
  test('of an answered call whose client has not brought all that it was asked', async () => {
    const first = await call()
    await asks(0, question('1'))
    await all.answer(0, 'one')
    expect(all.budget.of('calls')).toBeGreaterThan(0)
    const second = await bring(await stateIn(first), { responses: '{}' })
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
    expect(all.budget.of('calls')).toBe(0)
    expect(all.questions).toEqual(['cancelled'])
  })

  test('at the end, and what was asked is on record', async () => {
    await call()
    await asks()
    await call('two')
    await all.sweep(100)
    await asks(1)
    await all.answer(1, 'two')
    all.modern.close()
    await all.settle()
    expect(all.budget.of('calls')).toBe(0)
    expect(all.questions).toEqual(['cancelled', 'cancelled'])
    expect(all.ends).toEqual(['drain', 'drain'])
  })
})

describe('a call that mirrors arguments in headers', () => {
  const TOOL =
    '{"name":"echo","inputSchema":{"properties":{"x":{"type":"string","x-mcp-header":"X"}}}}'
  const CALLED = '"name":"echo","arguments":{"x":"a"}'
  const headers = { 'mcp-param-x': 'a' }
  const lists = (): number => sent().filter((one) => one.includes('"tools/list"')).length
  let state: string
  beforeEach(async () => {
    const named = { meta: ASKABLE, params: CALLED, name: 'echo', headers }
    const first = all.post(A, 'tools/call', 'one', named)
    await all.settle()
    await all.lists(0, TOOL)
    await asks()
    state = await stateIn(await first)
    // What its tools are is old by now.
    await all.sweep(CLIENT_MS / 2)
  })
  const brings = (headers: Readonly<Record<string, string>>): Promise<FakeReply> => {
    const params = `${CALLED},"inputResponses":${ACCEPTED},"requestState":"${state}"`
    return all.post(A, 'tools/call', 'one', { meta: ASKABLE, params, name: 'echo', headers })
  }

  test('goes on by what it was checked by: the server may answer nothing else meanwhile', async () => {
    const second = await brings(headers)
    expect(lists()).toBe(1)
    expect(sent().at(-1)).toContain('"id":"q","result":{"action":"accept"')
    await all.answer(0, 'one')
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
  })

  test('has its answer also where its process has ended since', async () => {
    await all.answer(0, 'one')
    all.link(0).ends({ message: 'it has gone' })
    const second = await brings(headers)
    expect(await told(second)).toMatchObject({ result: { resultType: 'complete', of: 'one' } })
  })

  test('is checked each time', async () => {
    const second = await brings({ 'mcp-param-x': 'b' })
    expect(await told(second)).toMatchObject({ error: { code: -32_020 } })
    expect(all.link(0).isClosed).toBe(true)
  })

  test('and is refused so leaves nothing of its answer behind', async () => {
    await all.answer(0, 'one')
    expect(all.budget.of('calls')).toBeGreaterThan(0)
    const second = await brings({})
    expect(await told(second)).toMatchObject({ error: { code: -32_020 } })
    expect(all.budget.of('calls')).toBe(0)
    expect(all.questions).toEqual(['cancelled'])
  })
})

test('few calls of one caller wait, and those of others beside them', async () => {
  const replies: FakeReply[] = []
  for (let index = 0; index < 9; index += 1) {
    replies.push(await call(`of ${index}`))
    await all.sweep(100)
    await asks(index)
  }
  expect(await replies[8]?.received()).toContain('HTTP/1.1 429')
  expect(all.link(8).isClosed).toBe(true)
  const others = await call('theirs', ASKABLE, B)
  await asks(all.where('theirs'))
  expect(await told(others)).toMatchObject({ result: { resultType: 'input_required' } })
})

test('where a caller may have one call at once, one that waits for its client does not hold up the next', async () => {
  all = new TranslatedProcesses('session', 1, true)
  await call()
  await asks()
  await call('two')
  await all.sweep(100)
  expect(all.where('two')).toBe(1)
})

test('where a caller has one process, who waits for it hears that its client was asked', async () => {
  all = new TranslatedProcesses('principal', 64, true)
  await call()
  await asks()
  const second = await call('two')
  await all.sweep(REQUEST_MS)
  expect(all.source.links).toHaveLength(1)
  expect(await second.body()).toContain('process waits for what its client was asked')
})

test('clients that can be asked for other things have other processes', async () => {
  const elicitation = '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}'
  const same = '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{"other":1},"y":{}}'
  for (const [of, meta] of [
    ['one', elicitation],
    ['two', ASKABLE],
    ['three', same],
  ] as const) {
    await call(of, meta)
    await all.answer(all.where(of), of)
  }
  expect(['one', 'two', 'three'].map((of) => all.where(of))).toEqual([0, 1, 0])
})
