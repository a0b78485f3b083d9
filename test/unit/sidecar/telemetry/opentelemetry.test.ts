import { expect, test } from '@jest/globals'
import { createLog } from '../../../../shared/log.ts'
import { startOpenTelemetry, tracesUrl } from '../../../../sidecar/telemetry/opentelemetry.ts'

test.each([
  ['http://collector:4318', 'http://collector:4318/v1/traces'],
  ['http://collector:4318/', 'http://collector:4318/v1/traces'],
  ['http://collector:4318/v1/traces', 'http://collector:4318/v1/traces'],
  ['http://collector:4318/v1/traces/', 'http://collector:4318/v1/traces'],
  ['https://traces.example/otlp/', 'https://traces.example/otlp/v1/traces'],
  ['https://traces.example/otlp?team=a', 'https://traces.example/otlp/v1/traces?team=a'],
])('the traces for %s go to %s', (endpoint, url) => {
  expect(tracesUrl(endpoint)).toBe(url)
})

test('an environment that disables the SDK is obeyed, and told', () => {
  const lines: string[] = []
  process.env['OTEL_SDK_DISABLED'] = 'true'
  try {
    const spans = startOpenTelemetry({
      endpoint: 'http://collector:4318',
      sampleRatio: 1,
      serviceName: 'x',
      log: createLog({ level: 'warn', write: (line) => void lines.push(line), now: () => 0 }),
      onDropped: () => undefined,
    })
    expect(spans).toBeUndefined()
  } finally {
    delete process.env['OTEL_SDK_DISABLED']
  }
  expect(lines.join('')).toContain('OTEL_SDK_DISABLED')
})
