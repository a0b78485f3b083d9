import { expect, test } from '@jest/globals'
import { signalUrl, timeOf } from '../../../../sidecar/telemetry/otlp.ts'

const SIGNALS = ['traces', 'metrics', 'logs'] as const

test.each([
  ['http://collector:4318', 'http://collector:4318/v1/SIGNAL'],
  ['http://collector:4318/', 'http://collector:4318/v1/SIGNAL'],
  ['http://collector:4318/v1/traces', 'http://collector:4318/v1/SIGNAL'],
  ['http://collector:4318/v1/metrics', 'http://collector:4318/v1/SIGNAL'],
  ['http://collector:4318/v1/logs/', 'http://collector:4318/v1/SIGNAL'],
  ['https://otlp.example/otlp/', 'https://otlp.example/otlp/v1/SIGNAL'],
  ['https://otlp.example/otlp?team=a', 'https://otlp.example/otlp/v1/SIGNAL?team=a'],
  ['https://otlp.example/v1/profiles', 'https://otlp.example/v1/profiles/v1/SIGNAL'],
])('of %s each signal goes to %s', (endpoint, url) => {
  for (const signal of SIGNALS)
    expect(signalUrl(endpoint, signal)).toBe(url.replace('SIGNAL', signal))
})

test('a time is seconds and nanoseconds', () => {
  expect(timeOf(1500)).toEqual([1, 500_000_000])
  expect(timeOf(0)).toEqual([0, 0])
})
