// Ids and tokens go as our numbers and come back as they came; answers find their caller and nobody else.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Call } from '../../../../sidecar/conversation/call.ts'
import { Channel, MAX_CALLS } from '../../../../sidecar/conversation/channel.ts'
import type { Fault } from '../../../../sidecar/mcp/faults.ts'
import type { Message } from '../../../../sidecar/mcp/message.ts'
import { FakeLink } from '../../../support/fake-link.ts'
import { keptRemarks, type KeptRemarks } from '../../../support/kept-remarks.ts'
import { aRequest } from '../../../support/messages.ts'

const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString()

/** A caller that keeps what it hears. */
const listener = (isThere = true) => {
  const heard: { answers: string[]; notices: string[]; faults: Fault[] } = {
    answers: [],
    notices: [],
    faults: [],
  }
  return {
    heard,
    answer: (text: string): void => void heard.answers.push(utf8(text)),
    notice: (text: string): boolean => {
      heard.notices.push(utf8(text))
      return isThere
    },
    fault: (fault: Fault): void => void heard.faults.push(fault),
  }
}

let link: FakeLink
let channel: Channel
let nowMs: number
let serverMessages: { message: Message; relatedTo: Call | undefined }[]
let ends: number
let remarks: KeptRemarks
let observed: (readonly [string, string | undefined])[]

beforeEach(() => {
  link = new FakeLink()
  nowMs = 1000
  let last = 100
  serverMessages = []
  ends = 0
  observed = []
  remarks = keptRemarks()
  channel = new Channel({
    link,
    owner: {
      serverMessage: (message, relatedTo) => void serverMessages.push({ message, relatedTo }),
      ended: () => void ends++,
    },
    nextId: () => ++last,
    now: () => nowMs,
    observe: ({ method }, errorType) => void observed.push([method, errorType]),
    remarks,
    isShared: false,
  })
})

const request = (id: string, token?: string): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"_meta":{${token === undefined ? '' : `"progressToken":${token}`}}}}`
const call = (caller: ReturnType<typeof listener>, id = '1', timeoutMs = 500, token?: string) =>
  channel.call(aRequest(request(id, token)), caller, { timeoutMs })
const result = (id: string, value = '{}'): string =>
  `{"jsonrpc":"2.0","id":${id},"result":${value}}`
const progress = (token: string): string =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1}}`

const IDS = [
  '1',
  '0',
  '-0',
  '1.0',
  '1e2',
  '9007199254740993',
  '9'.repeat(200),
  '1e999',
  '"a"',
  '"\\u0061"',
  '""',
  '"é"',
  '"\\ud800"',
  '"101"',
  '"$&"',
]

describe('ids and tokens', () => {
  test.each(IDS)('%s goes as our number and comes back as it was', (id) => {
    const caller = listener()
    call(caller, id, 500, id)
    // A string for a string: servers write tokens back as what they keep them as.
    const token = id.startsWith('"') ? '"101"' : '101'
    expect(link.sent).toEqual([request('101', token)])
    link.says(progress(token))
    link.says(result('101', '{"x":[1.0,9007199254740993]}'))
    expect(caller.heard.notices).toEqual([progress(id)])
    expect(caller.heard.answers).toEqual([result(id, '{"x":[1.0,9007199254740993]}')])
    expect(channel.inFlight).toBe(0)
  })

  test('the same id in flight twice: each caller gets its own answer, in any order', () => {
    const [first, second] = [listener(), listener()]
    call(first, '1')
    call(second, '1')
    link.says(result('102', '"second"'))
    link.says(result('101', '"first"'))
    expect(first.heard.answers).toEqual([result('1', '"first"')])
    expect(second.heard.answers).toEqual([result('1', '"second"')])
  })

  test.each([
    ['never ours', '55'],
    ['never ours, as string', '"55"'],
    ['with a sign', '-101'],
    ['close to ours', '101.5'],
    ['of 300 digits', `101${'0'.repeat(200)}`],
    ['a string that only begins with it', '"101 "'],
    ['a string with a zero before it', '"0101"'],
    ['an exponent without end', '101e999999999999'],
  ])('an answer whose id is %s goes nowhere', (_name, id) => {
    const caller = listener()
    call(caller)
    link.says(result(id))
    expect(caller.heard.answers).toEqual([])
    expect(channel.inFlight).toBe(1)
  })

  test('the second answer goes nowhere', () => {
    const caller = listener()
    call(caller)
    link.says(result('101', '1'))
    link.says(result('101', '2'))
    expect(caller.heard.answers).toEqual([result('1', '1')])
  })

  test.each([
    ['of nobody', '7'],
    ['of a call without a token', '101'],
    ['of a call without a token, as string', '"101"'],
  ])('progress %s goes nowhere, also not to the owner', (_name, token) => {
    const caller = listener()
    call(caller)
    link.says(progress(token))
    expect(caller.heard.notices).toEqual([])
    expect(serverMessages).toEqual([])
  })

  test('a subscription id comes back too, in notices and in the answer', () => {
    const caller = listener()
    call(caller, '"s"', 0)
    const meta = (id: string): string =>
      `{"_meta":{"io.modelcontextprotocol/subscriptionId":${id}}}`
    const notice = (id: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":${meta(id)}}`
    link.says(notice('101'))
    link.says(result('101', meta('101')))
    expect(caller.heard.notices).toEqual([notice('"s"')])
    expect(caller.heard.answers).toEqual([result('"s"', meta('"s"'))])
  })

  test("a subscription id that is not the answer's own stays", () => {
    const caller = listener()
    call(caller)
    const value = '{"_meta":{"io.modelcontextprotocol/subscriptionId":102}}'
    link.says(result('101', value))
    expect(caller.heard.answers).toEqual([result('1', value)])
  })
})

describe('the link hears that nobody waits any more', () => {
  test.each<[string, (line: string) => string]>([
    ['for what has been answered', (line) => line],
    [
      'for what was answered by what cannot be used',
      (line) => line.replace('"id"', '"id":101,"id"'),
    ],
    ['for what was answered over two lines', (line) => `${line.slice(0, -1)},`],
  ])('%s', (_name, written) => {
    const caller = listener()
    call(caller)
    link.writes(written(result('101')))
    expect(caller.heard.answers.length + caller.heard.faults.length).toBe(1)
    expect(link.abandoned).toEqual([101])
  })
})

describe('time', () => {
  test('a wait ends at its time: the caller hears why, the server that nobody waits', () => {
    const caller = listener()
    call(caller, '1', 500)
    channel.sweep(1499)
    expect(caller.heard.faults).toEqual([])
    channel.sweep(1500)
    expect(caller.heard.faults).toMatchObject([{ code: 'request-timeout' }])
    expect(caller.heard.faults[0]?.message).toContain('tools/call within 500 ms')
    expect(link.sent[1]).toBe(
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":101,"reason":"timeout"}}',
    )
    expect(link.abandoned).toEqual([101])
    link.says(result('101'))
    expect(caller.heard.answers).toEqual([])
  })

  test.each([
    ['request-timeout', 'within 500 ms (outrigger.dev/request-timeout)'],
    ['startup-timeout', 'within 500 ms (outrigger.dev/startup-timeout)'],
  ] as const)('names the setting: %s', (setting, says) => {
    const caller = listener()
    channel.call(aRequest(request('1')), caller, { timeoutMs: 500, setting })
    channel.sweep(9000)
    expect(caller.heard.faults[0]?.message).toContain(says)
  })

  test('says what the server wrote instead of an answer', () => {
    const caller = listener()
    call(caller)
    link.writes('Welcome!')
    channel.sweep(9000)
    expect(caller.heard.faults[0]?.message).toContain('no message: Welcome!')
  })

  test('progress that is heard moves the end, each time', () => {
    const caller = listener()
    call(caller, '1', 500, '"t"')
    for (nowMs = 1400; nowMs < 3000; nowMs += 400) link.says(progress('"101"'))
    channel.sweep(2000)
    expect(caller.heard.faults).toEqual([])
    channel.sweep(3400)
    expect(caller.heard.faults).toMatchObject([{ code: 'request-timeout' }])
  })

  test('progress that nobody hears does not', () => {
    const caller = listener(false)
    call(caller, '1', 500, '"t"')
    nowMs = 1400
    link.says(progress('"101"'))
    channel.sweep(1500)
    expect(caller.heard.faults).toMatchObject([{ code: 'request-timeout' }])
  })

  test('a subscription waits for ever', () => {
    const caller = listener()
    call(caller, '1', 0)
    channel.sweep(Number.MAX_SAFE_INTEGER)
    expect(channel.inFlight).toBe(1)
  })
})

describe('ends', () => {
  const end = { message: 'the server exited with code 3', exitCode: 3, stderr: 'why\n' }

  test('everybody in flight hears code and stderr, and so does who comes later', () => {
    const [first, later] = [listener(), listener()]
    call(first)
    link.ends(end)
    call(later)
    const fault = {
      code: 'server-exited',
      message: 'the server exited with code 3; it wrote: why',
      brief: 'the server exited with code 3',
      data: { exitCode: 3, stderr: 'why\n' },
    }
    expect(first.heard.faults).toEqual([fault])
    expect(later.heard.faults).toEqual([fault])
    expect([channel.inFlight, ends, link.sent.length]).toEqual([0, 1, 1])
  })

  test('only once', () => {
    link.ends(end)
    link.ends({ message: 'again' })
    expect(ends).toBe(1)
  })

  test('one request fails, the others live', () => {
    const [first, second] = [listener(), listener()]
    call(first)
    call(second)
    channel.failed(101, 'HTTP 500')
    channel.failed(999, 'nobody')
    expect(first.heard.faults).toMatchObject([{ code: 'server-failed', message: 'HTTP 500' }])
    expect(second.heard.faults).toEqual([])
  })

  test('nothing is sent once it has ended', () => {
    link.ends(end)
    channel.send('{}')
    expect(link.sent).toEqual([])
  })
})

describe('bounds', () => {
  test('a server that does not read: the caller hears it, nothing is in flight', () => {
    const caller = listener()
    link.isReading = false
    expect(call(caller)).toBeUndefined()
    expect(caller.heard.faults).toMatchObject([{ code: 'server-not-reading' }])
    expect(channel.inFlight).toBe(0)
  })

  test('more in flight than are allowed', () => {
    for (let index = 0; index < MAX_CALLS; index++) call(listener())
    const caller = listener()
    expect(call(caller)).toBeUndefined()
    expect(caller.heard.faults).toMatchObject([{ code: 'too-many-requests' }])
  })
})

describe('what belongs to no caller', () => {
  test.each([
    ["a request of the server's", '{"jsonrpc":"2.0","id":101,"method":"ping"}'],
    ['a log line', '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'],
  ])('%s goes to the owner, with the call where the link knows it', (_name, body) => {
    const made = call(listener())
    link.says(body)
    link.says(body, 101)
    link.says(body, 999)
    expect(serverMessages.map(({ relatedTo }) => relatedTo)).toEqual([undefined, made, undefined])
  })

  test('cancelling twice tells the server once', () => {
    const made = call(listener())
    if (!made) throw new Error('the call is made')
    channel.cancel(made, 'disconnected')
    channel.cancel(made, 'disconnected')
    expect(link.sent).toHaveLength(2)
  })
})

describe('what is observed', () => {
  test.each([
    ['a result', result('101'), undefined],
    ['a tool that failed', result('101', '{"isError":true}'), 'tool_error'],
    ['a tool that did not', result('101', '{"isError":false}'), undefined],
    ['an error', '{"jsonrpc":"2.0","id":101,"error":{"code":-32602,"message":""}}', '-32602'],
    ['an error without a code', '{"jsonrpc":"2.0","id":101,"error":{}}', '_OTHER'],
    [
      'an error whose code is long',
      `{"jsonrpc":"2.0","id":101,"error":{"code":"${'x'.repeat(99)}"}}`,
      '_OTHER',
    ],
  ])('%s', (_name, body, type) => {
    call(listener())
    link.says(body)
    expect(observed).toEqual([['tools/call', type]])
  })

  test.each<[string, (made: Call) => void, string]>([
    ['a client that has enough', (made) => channel.cancel(made, 'disconnected'), 'cancelled'],
    ['time that is up', () => channel.sweep(nowMs + 500), 'timeout'],
  ])('%s, once', (_name, end, type) => {
    const made = call(listener())
    if (made) end(made)
    link.says(result('101'))
    expect(observed).toEqual([['tools/call', type]])
  })
})
