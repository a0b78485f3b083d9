// Spans as bytes, read again by the official definitions of OTLP.

import { expect, test } from '@jest/globals'
import { z } from 'zod'
import { Protobuf } from '../../../../sidecar/telemetry/protobuf.ts'
import {
  attributesAsBytes,
  MAX_ATTRIBUTES,
  requestsOf,
  writeSpan,
  type EndedSpan,
} from '../../../../sidecar/telemetry/span-bytes.ts'
import type { Attributes } from '../../../../sidecar/telemetry/trace.ts'
import { tracesIn } from '../../../support/collector.ts'

const CONTEXT = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  flags: 1,
  state: 'a=b',
}
const PARENT = { ...CONTEXT, spanId: '00f067aa0ba902b7', flags: 3 }

const aSpan = (start: Partial<EndedSpan['start']>, end: Partial<EndedSpan['end']> = {}) => ({
  context: CONTEXT,
  start: {
    kind: 'client',
    startMs: 0,
    parent: undefined,
    link: undefined,
    name: 'ping',
    attributes: {},
    ...start,
  } as const,
  end: { attributes: {}, isError: false, message: undefined, ...end },
  endMs: 0,
})

const requestOf = requestsOf({ 'service.name': 'x' }, 'outrigger')

const hex = z.string().transform((text) => Buffer.from(text, 'base64').toString('hex'))
const Pairs = z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
const Spans = z.object({
  resourceSpans: z
    .array(
      z.object({
        resource: z.object({ attributes: Pairs }),
        scopeSpans: z
          .array(
            z.object({
              scope: z.object({ name: z.string() }),
              spans: z.array(
                z.looseObject({
                  traceId: hex,
                  spanId: hex,
                  parentSpanId: hex.optional(),
                  attributes: Pairs.optional(),
                  links: z.array(z.looseObject({ traceId: hex, spanId: hex })).optional(),
                }),
              ),
            }),
          )
          .length(1),
      }),
    )
    .length(1),
})

const readBack = (...spans: readonly EndedSpan[]) => {
  const bytes = new Protobuf()
  for (const one of spans) writeSpan(bytes, one)
  const [found] = Spans.parse(tracesIn(requestOf(bytes.bytes))).resourceSpans
  expect(found?.resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'x' } }])
  const [scope] = found?.scopeSpans ?? []
  expect(scope?.scope).toEqual({ name: 'outrigger' })
  return scope?.spans ?? []
}

test('a SERVER span with all that one can have', () => {
  const attributes = { 'mcp.method.name': 'tools/call', 'client.port': 65_535, ratio: 0.5 }
  const end = { attributes: { 'error.type': 'timeout' }, isError: true, message: 'too late' }
  const span = {
    ...aSpan({ kind: 'server', parent: PARENT, link: PARENT, name: 'tools/call x' }, end),
    endMs: 1_793_000_000_124.5,
  }
  const start = { ...span.start, startMs: 1_793_000_000_123.25, attributes }
  expect(readBack({ ...span, start })).toEqual([
    {
      traceId: CONTEXT.traceId,
      spanId: CONTEXT.spanId,
      parentSpanId: PARENT.spanId,
      name: 'tools/call x',
      kind: 'SPAN_KIND_SERVER',
      startTimeUnixNano: '1793000000123250000',
      endTimeUnixNano: '1793000000124500000',
      attributes: [
        { key: 'error.type', value: { stringValue: 'timeout' } },
        { key: 'mcp.method.name', value: { stringValue: 'tools/call' } },
        { key: 'client.port', value: { intValue: '65535' } },
        { key: 'ratio', value: { doubleValue: 0.5 } },
      ],
      links: [{ traceId: PARENT.traceId, spanId: PARENT.spanId, flags: 0x301 }],
      status: { code: 'STATUS_CODE_ERROR', message: 'too late' },
      flags: 0x301,
    },
  ])
})

test('attributes that others have too stand between its end and its own', () => {
  const common = { 'mcp.method.name': 'tools/call', 'client.port': 1 }
  const shared = { name: 'x', bytes: attributesAsBytes(common), count: 2 }
  const own = Object.fromEntries(
    Array.from({ length: MAX_ATTRIBUTES }, (_, index) => [`a${index}`, 'v']),
  )
  const [found] = readBack(
    aSpan({ shared, attributes: own }, { attributes: { 'error.type': 'timeout' } }),
  )
  const keys = found?.attributes?.map(({ key }) => key)
  expect(keys?.slice(0, 4)).toEqual(['error.type', 'mcp.method.name', 'client.port', 'a0'])
  expect([keys?.length, found?.['droppedAttributesCount']]).toEqual([MAX_ATTRIBUTES, 3])
})

test('a CLIENT span with nothing, and several behind each other', () => {
  const one = {
    traceId: CONTEXT.traceId,
    spanId: CONTEXT.spanId,
    name: 'ping',
    kind: 'SPAN_KIND_CLIENT',
    startTimeUnixNano: '0',
    endTimeUnixNano: '0',
    flags: 0x101,
  }
  const child = aSpan({ parent: PARENT })
  expect(readBack(aSpan({}), child, aSpan({}))).toEqual([
    one,
    { ...one, parentSpanId: PARENT.spanId },
    one,
  ])
})

test('texts of every length and script come back as they were', () => {
  const lengths = [0, 1, 41, 42, 43, 84, 126, 127, 128, 129, 254, 16_300, 16_383, 16_384, 70_000]
  const parts = ['a', 'ß', '語', '😀']
  for (const length of lengths) {
    for (const part of parts) {
      const text = part.repeat(length)
      const [span] = readBack(
        aSpan({ name: text, attributes: { [part]: text } }, { isError: true, message: text }),
      )
      expect(span).toMatchObject({
        name: text,
        attributes: [{ key: part, value: { stringValue: text } }],
        status: { message: text },
      })
    }
  }
})

test('whole numbers come back whole, others as they were', () => {
  const numbers: Attributes = { a: 0, b: 127, c: 128, d: 2 ** 53 - 1, e: -1, f: 1e300 }
  const [span] = readBack(aSpan({ attributes: numbers }))
  expect(span?.attributes?.map(({ value }) => value)).toEqual([
    { intValue: '0' },
    { intValue: '127' },
    { intValue: '128' },
    { intValue: '9007199254740991' },
    { doubleValue: -1 },
    { doubleValue: 1e300 },
  ])
})

test('of too many attributes the first stand there, those of the end among them, and the rest is counted', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a${index}`, index]))
  const [span] = readBack(aSpan({ attributes: many }, { attributes: { 'error.type': 'x' } }))
  expect(span?.attributes).toHaveLength(MAX_ATTRIBUTES)
  expect(span?.attributes?.[0]?.key).toBe('error.type')
  expect(span?.['droppedAttributesCount']).toBe(41 - MAX_ATTRIBUTES)
})
