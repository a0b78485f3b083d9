import { expect, test } from '@jest/globals'
import { logsUrl } from '../../../../sidecar/telemetry/otlp-logs.ts'

test.each([
  ['http://collector:4318', 'http://collector:4318/v1/logs'],
  ['http://collector:4318/', 'http://collector:4318/v1/logs'],
  ['http://collector:4318/v1/traces', 'http://collector:4318/v1/logs'],
  ['https://logs.example/otlp/v1/logs/', 'https://logs.example/otlp/v1/logs'],
  ['https://logs.example/otlp?team=a', 'https://logs.example/otlp/v1/logs?team=a'],
])('the logs for %s go to %s', (endpoint, url) => {
  expect(logsUrl(endpoint)).toBe(url)
})
