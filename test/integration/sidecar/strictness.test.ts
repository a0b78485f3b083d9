// Strict in, exact through: each body is refused and reaches nobody, or reaches the server as it was, with our id
// in the place of the client's, and the answer bears the client's id as it was written. The same for what a server says.
// Then: what other people's readers make of what went on is what was checked.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { byLines, byPython, goReader, type Seen } from '../../support/line-readers.ts'
import { messageIn, openSession, type RawSession } from '../../support/raw-http.ts'
import { startRaw, type RawBridge } from '../../support/raw-server.ts'

const DEEPEST = 126

let bridge: RawBridge

beforeAll(async () => {
  bridge = await startRaw()
})

afterAll(() => bridge.stop())

const bytes = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))),
  )

const call = (params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`

type Refused = readonly [name: string, body: string | Buffer, code: string]

const REFUSED: readonly Refused[] = [
  ['two messages on two lines', `${call('{}')}\n${call('{"name":"rm"}')}`, 'parse-error'],
  ['two messages by a bare CR', `${call('{}')}\r${call('{"name":"rm"}')}`, 'parse-error'],
  ['two messages without anything between', `${call('{}')}${call('{"name":"rm"}')}`, 'parse-error'],
  ['an LF inside a string', call('{"name":"a\n{\\"method\\":\\"rm\\"}"}'), 'parse-error'],
  ['a bare CR inside a string', call('{"name":"a\r{}"}'), 'parse-error'],
  ['a NUL inside a string', call('{"name":"a\0"}'), 'parse-error'],
  ['a NUL behind the message', `${call('{}')}\0`, 'parse-error'],
  ['a byte order mark within', `{\ufeff${call('{}').slice(1)}`, 'parse-error'],
  ['UTF-16', Buffer.from(call('{}'), 'utf16le'), 'parse-error'],
  ['a lone continuation byte', bytes(call('{"name":"').slice(0, -1), 0x80, '"}}'), 'parse-error'],
  [
    'an overlong quote',
    bytes('{"jsonrpc":"2.0","id":1,"method":"a', 0xc0, 0xa2, '"}'),
    'parse-error',
  ],
  [
    'an encoded surrogate',
    bytes('{"jsonrpc":"2.0","id":1,"method":"', 0xed, 0xa0, 0x80, '"}'),
    'parse-error',
  ],
  [
    'a cut character',
    bytes('{"jsonrpc":"2.0","id":1,"method":"a', 0xe2, 0x82, '"}'),
    'parse-error',
  ],
  ['a member twice', call('{"name":"echo","name":"rm"}'), 'parse-error'],
  ['a member twice, once escaped', call('{"name":"echo","\\u006eame":"rm"}'), 'parse-error'],
  [
    'the method twice',
    '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    'parse-error',
  ],
  [
    'a member twice among the arguments',
    call('{"arguments":{"path":"/a","path":"/b"}}'),
    'parse-error',
  ],
  ['half a surrogate pair in a name', call('{"arguments":{"\\ud800":1}}'), 'parse-error'],
  [
    'a method in another case',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    'invalid-request',
  ],
  ['a name in another case', call('{"name":"echo","NAME":"rm"}'), 'invalid-request'],
  ['arguments in another case', call('{"name":"echo","Arguments":{}}'), 'invalid-request'],
  [
    'params by a long s',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","param\u017f":{"name":"rm"}}',
    'invalid-request',
  ],
  ['a token by a Kelvin sign', call('{"_meta":{"progressTo\u212aen":1}}'), 'invalid-request'],
  ['too deep', call(`${'['.repeat(200)}${']'.repeat(200)}`), 'parse-error'],
  ['a hundred thousand open brackets', '['.repeat(100_000), 'parse-error'],
  ['a trailing comma', call('{"name":"echo",}'), 'parse-error'],
  ['a comment', call('{/**/}'), 'parse-error'],
  ['NaN', call('{"arguments":{"x":NaN}}'), 'parse-error'],
  ['a bare string', '"ping"', 'parse-error'],
  ['nothing', '', 'parse-error'],
  ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', 'invalid-request'],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', 'invalid-request'],
  ['an id that is a list', '{"jsonrpc":"2.0","id":[1],"method":"ping"}', 'invalid-request'],
  ['an id that is true', '{"jsonrpc":"2.0","id":true,"method":"ping"}', 'invalid-request'],
  [
    'an id of 300 digits',
    `{"jsonrpc":"2.0","id":${'9'.repeat(300)},"method":"ping"}`,
    'invalid-request',
  ],
  ['a token that is an object', call('{"_meta":{"progressToken":{}}}'), 'invalid-request'],
  ['parameters as a list', call('["rm"]'), 'invalid-request'],
  ['a batch, in a revision without', `[${call('{}')}]`, 'invalid-request'],
  ['an empty batch', '[]', 'invalid-request'],
  ['a batch of what is no message', '[1]', 'invalid-request'],
]

const IDS: readonly (readonly [string, string])[] = [
  ['an integer', '1'],
  ['zero', '0'],
  ['minus zero', '-0'],
  ['a negative', '-12'],
  ['a float', '1.0'],
  ['a float with an exponent', '1.50E+2'],
  ['2^53 + 1', '9007199254740993'],
  ['a hundred digits', '1234567890'.repeat(10)],
  ['a number that no double holds', '1e999'],
  ['a string', '"a"'],
  ['the same string escaped', '"\\u0061"'],
  ['an empty string', '""'],
  ['a string like a number', '"1"'],
  ['a string beyond ASCII', '"é😀"'],
  ['half a surrogate pair', '"\\ud800"'],
  ['a name of a prototype', '"__proto__"'],
  ['line ends in escapes', '"\\r\\n"'],
]

type Passed = readonly [
  name: string,
  before: string,
  id: string,
  after: string,
  seen: readonly [string, string],
]

const head = '{"jsonrpc":"2.0","id":'
const toolCall = (params: string): string => `,"method":"tools/call","params":${params}}`

const PASSED: readonly Passed[] = [
  ...IDS.map(([name, id]): Passed => [
    `as id: ${name}`,
    head,
    id,
    ',"method":"ping"}',
    ['ping', ''],
  ]),
  [
    'white space of every kind',
    '{ "jsonrpc":\t"2.0",\r\n"id":',
    '1',
    ' ,\r"method"\n:"ping" }\r\n',
    ['ping', ''],
  ],
  ['the id last', '{"method":"ping","jsonrpc":"2.0","id":', '1', '}', ['ping', '']],
  ['a method in escapes', head, '1', ',"method":"\\u0070ing"}', ['ping', '']],
  [
    'an id among the arguments',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"id":1,"method":"rm"}}'),
    ['tools/call', 'none'],
  ],
  [
    'what looks like a message in a string',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"x":"\\n{\\"method\\":\\"rm\\"}\\n"}}'),
    ['tools/call', 'none'],
  ],
  [
    'large and odd numbers',
    head,
    '1',
    toolCall(
      '{"name":"none","arguments":{"n":[9007199254740993,1.0,-0,1e5,0.1000000000000000055]}}',
    ),
    ['tools/call', 'none'],
  ],
  [
    'escapes as they are',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"x":"\\u00e9\\/\\u2028\\ud83d\\ude00"}}'),
    ['tools/call', 'none'],
  ],
  [
    'characters of every length',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"x":"aé€😀\u007f"}}'),
    ['tools/call', 'none'],
  ],
  [
    'separators that split lines elsewhere',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"x":"a\u2028b\u2029c\u0085d"}}'),
    ['tools/call', 'none'],
  ],
  [
    'members that nobody knows',
    head,
    '1',
    ',"method":"ping","extra":{"a":[1]},"__proto__":1}',
    ['ping', ''],
  ],
  [
    'names of a prototype among the arguments',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"__proto__":1,"constructor":2}}'),
    ['tools/call', 'none'],
  ],
  [
    'names that differ in case among the arguments',
    head,
    '1',
    toolCall('{"name":"none","arguments":{"a":1,"A":2}}'),
    ['tools/call', 'none'],
  ],
  [
    'as deep as allowed',
    head,
    '1',
    toolCall(`{"name":"none","arguments":${'['.repeat(DEEPEST)}${']'.repeat(DEEPEST)}}`),
    ['tools/call', 'none'],
  ],
  [
    'a long string',
    head,
    '1',
    toolCall(`{"name":"none","arguments":{"x":"${'long '.repeat(40_000)}"}}`),
    ['tools/call', 'none'],
  ],
]

describe('what a client sends', () => {
  let session: RawSession

  beforeAll(async () => {
    session = await openSession(bridge.url)
  })

  /** What the server has read since the last time, without the question itself. */
  let known = 0
  const news = async (): Promise<Buffer> => {
    const all = await bridge.recorded(session)
    const fresh = all.subarray(known)
    known = all.length
    return fresh.subarray(0, fresh.lastIndexOf('\n', -2) + 1)
  }

  test.each(REFUSED)('is refused: %s', async (_name, body, code) => {
    await news()
    const reply = await session.post(body)
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { data: { code } } })
    expect((await news()).toString()).toBe('')
  })

  test.each(PASSED)('goes through: %s', async (_name, ...row) => {
    const [before, id, after] = row
    await news()
    const reply = await session.post(before + id + after)
    const line = (await news()).toString()
    const clean = (part: string): string => part.replace(/[\r\n]/g, ' ')
    const ours = /\d+/.exec(line.slice(before.length))?.[0] ?? ''
    expect(line).toBe(`${clean(before)}${ours}${clean(after)}\n`)
    expect(reply.text).toBe(`{"jsonrpc":"2.0","id":${id},"result":{}}`)
  })

  test('an id is told also where the request is refused', async () => {
    const reply = await session.post('{"jsonrpc":"2.0","id":"\\u0061","method":"a b"}')
    expect(reply.text).toContain('"id":"\\u0061"')
  })
})

describe('a batch', () => {
  const initialize =
    '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"b","version":"1"}}}'

  test('is split and answered whole, where the revision has them', async () => {
    const session = await openSession(bridge.url, initialize)
    const reply = await session.post(
      '[{"jsonrpc":"2.0","id":1.0,"method":"ping"},\r\n{"jsonrpc":"2.0","method":"notifications/x"}, {"jsonrpc":"2.0","id":"b","method":"ping"}]',
    )
    expect(reply.text).toBe(
      '[{"jsonrpc":"2.0","id":1.0,"result":{}},{"jsonrpc":"2.0","id":"b","result":{}}]',
    )
    const lines = (await bridge.recorded(session)).toString().split('\n')
    expect(lines.filter((line) => line.includes('ping') || line.includes('/x'))).toEqual([
      expect.stringMatching(/^\{"jsonrpc":"2.0","id":\d+,"method":"ping"\}$/),
      '{"jsonrpc":"2.0","method":"notifications/x"}',
      expect.stringMatching(/^\{"jsonrpc":"2.0","id":\d+,"method":"ping"\}$/),
    ])
  })

  test.each([
    ['initialize in it', `[${initialize}]`],
    [
      'one bad message in it',
      '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping","Method":"rm"}]',
    ],
    ['a batch in it', '[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]'],
    ['too many', `[${Array<string>(65).fill('{"jsonrpc":"2.0","id":1,"method":"ping"}').join()}]`],
  ])('is refused whole: %s', async (_name, body) => {
    const session = await openSession(bridge.url, initialize)
    const reply = await session.post(body)
    expect(JSON.parse(reply.text)).toMatchObject({ error: { data: { code: 'invalid-request' } } })
    expect((await bridge.recorded(session)).toString()).not.toContain('ping')
  })
})

const answer = (result: string): string => `{"jsonrpc":"2.0","id":$ID,"result":${result}}`

describe('what a server says', () => {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
  let session: RawSession

  beforeAll(async () => {
    session = await openSession(bridge.url)
  })

  test.each([
    ['as it is', `${answer('{"a":1}')}\n`, '{"a":1}'],
    ['with CRLF at its end', `${answer('{"a":2}')}\r\n`, '{"a":2}', ' '],
    ['with bare CR between the tokens', `${answer('{\r"a"\r:3}')}\n`, '{ "a" :3}'],
    ['after stray lines', `\n\r\nx\nWelcome!\n{}\n[]\n${answer('{"a":4}')}\n`, '{"a":4}'],
    [
      'with numbers of every kind',
      `${answer('{"n":[9007199254740993,1.0,1e999,-0]}')}\n`,
      '{"n":[9007199254740993,1.0,1e999,-0]}',
    ],
    ['with escapes', `${answer('{"a":"\\u0061\\/\\ud800"}')}\n`, '{"a":"\\u0061\\/\\ud800"}'],
    [
      'with separators that split lines elsewhere',
      latin1(`${answer('{"a":"a\u2028b\u0085c"}')}\n`),
      '{"a":"a\u2028b\u0085c"}',
    ],
    ['twice: the first counts', `${answer('{"a":1}')}\n${answer('{"a":2}')}\n`, '{"a":1}'],
    [
      'after the answer to nobody',
      `{"jsonrpc":"2.0","id":999999,"result":{}}\n${answer('{"a":"mine"}')}\n`,
      '{"a":"mine"}',
    ],
  ])('goes through: an answer %s', async (_name, output, result, end = '') => {
    const ownIds = (text: string): string => text.replace(/"id":\d+/, '"id":$ID')
    expect(ownIds(await session.call('write', { output }))).toBe(answer(result) + end)
    // Nothing of it is left for the next.
    expect(ownIds(await session.call('none'))).toBe(answer('{}'))
  })

  // One meaning only: test/unit/sidecar/conversation/tolerated-lines.test.ts has them all.
  test.each([
    ['with its id as string', '{"jsonrpc":"2.0","id":"$ID","result":{}}\n'],
    ['with its id as float', '{"jsonrpc":"2.0","id":$ID.0,"result":{}}\n'],
    ['with an error that is null', '{"jsonrpc":"2.0","id":$ID,"result":{},"error":null}\n'],
    ['with a byte order mark', `\xef\xbb\xbf${answer('{}')}\n`],
    ['in a batch', `[${answer('{}')}]\n`],
    ['and a second one on its line', `${answer('{}')}${answer('2')}\n`],
    ['without a line end', answer('{}')],
  ])('is taken: an answer %s', async (_name, output) => {
    expect(await session.call('write', { output })).toMatch(
      /^\{"jsonrpc":"2.0","id":\d+,"result":\{\}\}$/,
    )
  })

  // Their bridge gives up after a minute: what is told here was told before.
  test.each([
    ['on two lines', `${answer('{').slice(0, -1)}\n"a":1}}\n`, 'several lines'],
    ['with two results', '{"jsonrpc":"2.0","id":$ID,"result":{},"result":{"x":1}}\n', 'twice'],
    ['with an id twice', '{"jsonrpc":"2.0","id":1,"id":$ID,"result":{}}\n', 'twice'],
    ['with another result', '{"jsonrpc":"2.0","id":$ID,"result":{},"Result":{}}\n', 'only in case'],
    ['with bytes that are not UTF-8', `${answer('"\xff"')}\n`, 'not valid UTF-8'],
    ['with a NUL', `\0${answer('{}')}\n`, 'cannot be used'],
    ['that is cut off', `${answer('{}').slice(0, -1)}\n`, 'several lines'],
  ])('fails its call: an answer %s', async (_name, output, says) => {
    const told = await session.call('write', { output })
    expect(told).toContain('"code":"unusable-answer"')
    expect(told).toContain(says)
  })

  test('goes nowhere: an answer with the id of nobody', async () => {
    const impatient = await startRaw(['--request-timeout', '1s'])
    const waiting = await openSession(impatient.url)
    const output = '{"jsonrpc":"2.0","id":123456789,"result":{}}\n'
    expect(await waiting.call('write', { output })).toContain('"code":"request-timeout"')
    await impatient.stop()
  })

  test("another session's answer reaches nobody, and the other gets its own", async () => {
    const [mine, other] = await Promise.all([openSession(bridge.url), openSession(bridge.url)])
    const waiting = other.call('later', { ms: 300, text: 'its own' })
    // Our ids are one row of numbers: some of these is the other's.
    const last = Number(/"id":(\d+)[^\n]*\n$/.exec((await bridge.recorded(mine)).toString())?.[1])
    const forged = [...Array(40).keys()]
      .map((offset) => `{"jsonrpc":"2.0","id":${last - 20 + offset},"result":{"text":"forged"}}\n`)
      .join('')
    const own = await mine.call('write', { output: forged })
    expect(own).toContain('forged')
    expect(await waiting).toContain('its own')
  })
})

describe('what others read of what went on', () => {
  const go: { reader?: ReturnType<typeof goReader> } = {}
  let recorded: Buffer = Buffer.alloc(0)
  let expected: readonly Seen[] = []

  beforeAll(async () => {
    go.reader = goReader()
    const session = await openSession(bridge.url)
    const checked: (readonly [string, string])[] = []
    for (const [, body] of REFUSED) await session.post(body)
    for (const [, before, id, after, seen] of PASSED) {
      messageIn(await session.post(before + id + after))
      checked.push(seen)
    }
    recorded = await bridge.recorded(session)
    const ids = recorded
      .toString()
      .split('\n')
      .map((line) => /"id":\s*(\d+)/.exec(line)?.[1] ?? '')
    const around: (readonly [string, string])[] = [
      ['initialize', ''],
      ['notifications/initialized', ''],
      ...checked,
      ['tools/call', 'pid'],
    ]
    expected = around.map(([method, name], index) => [method, name, ids[index] ?? ''])
  })

  afterAll(() => go.reader?.close())

  test('a line reader', () => {
    expect(byLines(recorded)).toEqual({ seen: expected, count: expected.length })
  })

  test("Python's text reader", () => {
    expect(byPython(recorded)).toEqual({ seen: expected, count: expected.length })
  })

  test("Go's decoder, by lines and as a stream", () => {
    expect(go.reader?.read(recorded)).toEqual({ seen: expected, count: expected.length })
  })
})
