import { expect, test } from '@jest/globals'
import {
  startOpenTelemetry,
  type OpenTelemetryOptions,
} from '../../../../sidecar/telemetry/opentelemetry.ts'
import { startCollector } from '../../../support/collector.ts'
import { keptLog } from '../../../support/kept-log.ts'

const optionsOf = (more: Partial<OpenTelemetryOptions>): OpenTelemetryOptions => ({
  endpoint: 'http://collector:4318',
  sampleRatio: 1,
  serviceName: 'x',
  environment: {},
  log: keptLog().log,
  onDropped: () => undefined,
  chance: () => 0,
  ...more,
})

test.each([
  ['true', true],
  [' True ', true],
  ['false', false],
  ['', false],
])('an environment that disables the SDK is obeyed, and told: %j', async (text, isDisabled) => {
  const { log, lines } = keptLog()
  const spans = startOpenTelemetry(optionsOf({ log, environment: { OTEL_SDK_DISABLED: text } }))
  expect([spans === undefined, lines.join('').includes('OTEL_SDK_DISABLED')]).toEqual([
    isDisabled,
    isDisabled,
  ])
  await spans?.shutdown(0)
})

test('a client’s tracestate goes on with its message, and not to the collector', async () => {
  const collector = await startCollector()
  try {
    const spans = startOpenTelemetry(optionsOf({ endpoint: collector.url }))
    const parent = {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      flags: 1,
      state: 'a=ghp_aaaaaaaaaaaaaaaaaaaaaaaa',
    }
    const start = { startMs: 0, name: 'ping', attributes: {}, link: parent, parent }
    const span = spans?.start({ kind: 'server', ...start })
    span?.end({ attributes: {}, isError: false, message: undefined }, 1)
    await spans?.shutdown(60_000)
    expect(span?.context.state).toBe(parent.state)
    expect(collector.spans).toHaveLength(1)
    expect(collector.spans[0]).toMatchObject({
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
    })
    expect(collector.spans[0]?.traceState).toBeUndefined()
  } finally {
    await collector.close()
  }
})

test('of the traces that begin here those are recorded whose chance is below the share', async () => {
  const chances = [0, 0.049, 0.05, 1]
  const spans = startOpenTelemetry(
    optionsOf({ sampleRatio: 0.05, chance: () => chances.shift() ?? 1 }),
  )
  const isRecorded = Array.from({ length: 4 }, () => spans?.leftOut(undefined) === undefined)
  expect(isRecorded).toEqual([true, true, false, false])
  await spans?.shutdown(0)
})
