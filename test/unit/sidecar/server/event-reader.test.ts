// Event streams by the HTML standard, with every line end, cut at every byte.

import { describe, expect, test } from '@jest/globals'
import { EventReader } from '../../../../sidecar/server/event-reader.ts'

const MAX_BYTES = 16 * 1024 * 1024

type Event = { readonly id: string | undefined; readonly data: string; readonly type?: string }

const read = (parts: readonly Buffer[]) => {
  const events: Event[] = []
  const reader = new EventReader(MAX_BYTES, ({ id, type, data }) => {
    events.push({ id, data: data.toString(), ...(type === 'message' ? {} : { type }) })
  })
  const isWithin = parts.every((part) => reader.push(part))
  return { events, isWithin, lastId: reader.lastId, retryMs: reader.retryMs }
}

const STREAMS: readonly (readonly [string, string, readonly Event[]])[] = [
  ['an event', 'data: {"a":"é"}\n\n', [{ id: undefined, data: '{"a":"é"}' }]],
  ['without a space', 'data:{}\n\n', [{ id: undefined, data: '{}' }]],
  ['with two spaces', 'data:  {}\n\n', [{ id: undefined, data: ' {}' }]],
  ['with an id', 'id: 7\ndata: {}\n\n', [{ id: '7', data: '{}' }]],
  ['an id behind the data', 'data: {}\nid: 7-a\n\n', [{ id: '7-a', data: '{}' }]],
  ['priming: an id without data', 'id: 7\ndata:\n\n', [{ id: '7', data: '' }]],
  ['a field without a colon', 'data\n\n', [{ id: undefined, data: '' }]],
  [
    'data on several lines',
    'data: {\ndata: "a":1\ndata: }\n\n',
    [{ id: undefined, data: '{\n"a":1\n}' }],
  ],
  [
    'comments and other fields',
    ': hi\nevent: message\nretry: 10\nDATA: x\ndata: {}\n\n',
    [{ id: undefined, data: '{}' }],
  ],
  ['a byte order mark', '\uFEFFdata: {}\n\n', [{ id: undefined, data: '{}' }]],
  [
    'a byte order mark before a comment',
    '\uFEFF: hi\ndata: {}\n\n',
    [{ id: undefined, data: '{}' }],
  ],
  ['a byte order mark further on', 'data: 1\n\n\uFEFFdata: 2\n\n', [{ id: undefined, data: '1' }]],
  [
    'a type, for its own event',
    'event: endpoint\ndata: /message\n\ndata: {}\n\n',
    [
      { id: undefined, data: '/message', type: 'endpoint' },
      { id: undefined, data: '{}' },
    ],
  ],
  ['an empty type', 'event:\ndata: {}\n\n', [{ id: undefined, data: '{}' }]],
  ['a type without data', 'event: x\n\ndata: {}\n\n', [{ id: undefined, data: '{}' }]],
  ['blank lines alone', '\n\n\n', []],
  [
    'two events',
    'data: 1\n\nid: 2\ndata: 2\n\n',
    [
      { id: undefined, data: '1' },
      { id: '2', data: '2' },
    ],
  ],
  [
    'an id counts for its own event',
    'id: 1\ndata: 1\n\ndata: 2\n\n',
    [
      { id: '1', data: '1' },
      { id: undefined, data: '2' },
    ],
  ],
  ['an event that is not complete', 'data: 1\n\ndata: 2\n', [{ id: undefined, data: '1' }]],
  ['an id that no header can bear', 'id: é\ndata: 1\n\n', [{ id: undefined, data: '1' }]],
  ['an id with a NUL', 'id: a\0b\ndata: 1\n\n', [{ id: undefined, data: '1' }]],
]

describe.each([
  ['LF', '\n'],
  ['CR', '\r'],
  ['CRLF', '\r\n'],
])('with %s', (_name, end) => {
  test.each(STREAMS)('%s, cut at every byte', (_row, text, expected) => {
    const bytes = Buffer.from(text.replaceAll('\n', end))
    expect(read([bytes]).events).toEqual(expected)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)]).events).toEqual(expected)
    }
    expect(read([...bytes].map((byte) => Buffer.of(byte))).events).toEqual(expected)
  })
})

describe('where a stream can be taken up again', () => {
  test.each<[string, string, string | undefined, number | undefined]>([
    ['nothing is said', 'data: 1\n\n', undefined, undefined],
    ['the last id', 'id: 1\ndata: 1\n\nid: 2\ndata: 2\n\ndata: 3\n\n', '2', undefined],
    ['an id without data', 'id: 7\n\n', '7', undefined],
    [
      'an id of an event that is not complete',
      'id: 1\ndata: 1\n\nid: 2\ndata: 2\n',
      '1',
      undefined,
    ],
    ['and when', 'retry: 250\nid: 7\n\n', '7', 250],
    ['a pause that is no number', 'retry: 1.5\nid: 7\n\n', '7', undefined],
    ['the last pause', 'retry: 1\nretry: 2\n\n', undefined, 2],
  ])('%s', (_name, text, lastId, retryMs) => {
    expect(read([Buffer.from(text)])).toMatchObject({ lastId, retryMs })
  })
})

describe('bounds', () => {
  const line = Buffer.from(`data: ${'x'.repeat(1024 * 1024 - 7)}\n`)
  const lines = (count: number): Buffer[] => Array<Buffer>(count).fill(line)

  test.each([
    ['an event of 15 MiB', lines(15), true],
    ['an event that never ends', lines(40), false],
    ['a line that never ends', Array<Buffer>(17).fill(Buffer.alloc(1024 * 1024, 'x')), false],
    [
      'many events of 1 MiB',
      Array<Buffer>(40).fill(Buffer.concat([line, Buffer.from('\n')])),
      true,
    ],
  ])('%s', (_name, parts, expected) => {
    expect(read(parts).isWithin).toBe(expected)
  })
})
