// Traces, metrics and records to a collector on the internet, where a company's own proxy alone leads there; one whose name leads
// nowhere but near is reached directly.

import { connect, isIP, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { OwnWay, Place } from '../../../sidecar/identity/own-way.ts'
import { exportMetrics } from '../../../sidecar/telemetry/otlp-metrics.ts'
import { openLogs, type Logs } from '../../../sidecar/telemetry/otlp-logs.ts'
import { startOpenTelemetry } from '../../../sidecar/telemetry/opentelemetry.ts'
import { spanEnd } from '../../../sidecar/telemetry/span-attributes.ts'
import { anAuthority, issue } from '../../support/certificates.ts'
import { startCollector, type Collector } from '../../support/collector.ts'
import { keptLog } from '../../support/kept-log.ts'

const authority = anAuthority('the company')
const stranger = anAuthority('somebody else')
/** A name that nobody knows, by which the proxy finds it. */
const FAR = 'https://collector.invalid:4318'

let collector: Collector
let asked: Place[]
let sockets: Socket[]

beforeEach(async () => {
  ;[asked, sockets] = [[], []]
  const names = ['collector.invalid', 'localhost', '127.0.0.1']
  collector = await startCollector(200, issue({ names, by: authority }))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await collector.close()
})

/** A proxy that leads everybody to the collector. */
const way: OwnWay = async (place) => {
  asked.push(place)
  const socket = connect(Number(new URL(collector.url).port), '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return { ok: true, value: socket }
}

const logsTo = (endpoint: string, more: { way?: OwnWay; ca?: string } = {}): Logs =>
  openLogs({ endpoint, ca: authority.cert, way, resource: { 'service.name': 'a' }, ...more })

const ENTRY = { timeMs: 1, body: 'one', event: 'call', attributes: {}, trace: undefined }

const PLACE = { host: 'collector.invalid', port: 4318 }

test('records go by it, more than once over one connection', async () => {
  const logs = logsTo(FAR)
  await logs.send([ENTRY])
  await logs.send([ENTRY])
  await logs.close()
  expect(collector.logs).toHaveLength(2)
  expect(asked).toEqual([PLACE])
})

test('so do metrics', async () => {
  const figure = {
    name: 'a',
    help: 'b',
    type: 'gauge',
    values: [{ labels: {}, value: 1 }],
  } as const
  const metrics = exportMetrics({
    server: 'a',
    read: async () => [figure],
    startedMs: 0,
    wallMs: Date.now,
    endpoint: FAR,
    intervalMs: 60_000,
    ca: authority.cert,
    way,
  })
  await metrics.close(5000)
  expect(collector.metrics.map(({ name }) => name)).toEqual(['a'])
  expect(asked).toEqual([PLACE])
})

test('so do traces', async () => {
  const spans = startOpenTelemetry({
    endpoint: FAR,
    sampleRatio: 1,
    ca: authority.cert,
    serviceName: 'a',
    environment: {},
    log: keptLog().log,
    onDropped: (count) => expect(count).toBe(0),
    chance: () => 0,
    way,
  })
  if (!spans) throw new Error('nothing is traced')
  const start = { kind: 'server', startMs: 1, parent: undefined, link: undefined } as const
  spans.start({ ...start, name: 'ping', attributes: {} }).end(spanEnd('server', undefined), 2)
  await spans.shutdown(5000)
  expect(collector.spans).toHaveLength(1)
  expect(asked).toEqual([PLACE])
})

test('who is behind it is believed by its own authorities and its name', async () => {
  const wrong = logsTo(FAR, { ca: stranger.cert })
  await expect(wrong.send([ENTRY])).rejects.toThrow(/nobody who is trusted here/)
  await wrong.close()
  const other = logsTo('https://other.invalid')
  await expect(other.send([ENTRY])).rejects.toThrow(/another host/)
  await other.close()
  expect(asked.map(({ host, port }) => `${host}:${port}`)).toContain('other.invalid:443')
  expect(collector.logs).toEqual([])
})

test('what keeps the proxy from it is told', async () => {
  const logs = logsTo(FAR, {
    way: async () => ({ ok: false, error: "the company's proxy: it refuses it (403)" }),
  })
  await expect(logs.send([ENTRY])).rejects.toThrow()
  await logs.close()
})

test.each(['localhost', '127.0.0.1'])('%s is reached directly', async (host) => {
  expect(isIP(host) === 4 || host === 'localhost').toBe(true)
  const logs = logsTo(collector.url.replace(/\/\/[^:]+:/, `//${host}:`))
  await logs.send([ENTRY])
  await logs.close()
  expect(collector.logs).toHaveLength(1)
  expect(asked).toEqual([])
})

test('one without TLS is, too', async () => {
  const plain = await startCollector()
  const logs = logsTo(plain.url)
  await logs.send([ENTRY])
  await logs.close()
  expect(plain.logs).toHaveLength(1)
  expect(asked).toEqual([])
  await plain.close()
})
