// What is said of a sidecar's document that is wrong; the settings in it have their own tests.

import { describe, expect, test } from '@jest/globals'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'

const COLLECTOR = 'http://collector:4318'

describe('traces', () => {
  test('are absent by default', () => {
    const config = parseSidecarConfig({})
    expect(config).toMatchObject({ ok: true, value: { server: 'local' } })
    expect(config).not.toHaveProperty('value.traces')
  })

  test('are few by default', () => {
    expect(parseSidecarConfig({ traces: { endpoint: COLLECTOR } })).toMatchObject({
      value: { traces: { endpoint: COLLECTOR, sampleRatio: 0.05 } },
    })
  })

  test.each([
    ['no endpoint', {}, 'traces.endpoint: is missing: it must be a string'],
    [
      'an endpoint that is none',
      { endpoint: 'collector' },
      'traces.endpoint: must be a URL such as',
    ],
    ['another scheme', { endpoint: 'grpc://collector' }, 'traces.endpoint: must be a URL such as'],
    [
      'a password',
      { endpoint: 'https://a:b@collector' },
      'traces.endpoint: must not hold a user or password',
    ],
    ['a negative part', { endpoint: COLLECTOR, sampleRatio: -1 }, 'traces.sampleRatio: must be at'],
    ['more than all', { endpoint: COLLECTOR, sampleRatio: 2 }, 'traces.sampleRatio: must be at'],
    [
      'what does not exist',
      { endpoint: COLLECTOR, rate: 1 },
      'traces.rate: there is no such member; there are endpoint, ca, sampleRatio',
    ],
  ])('%s is told', (_name, traces, expected) => {
    const config = parseSidecarConfig({ traces })
    expect(config.ok ? [] : config.error).toEqual([expect.stringContaining(expected)])
  })
})

describe('egress', () => {
  test('is absent by default, and strict where it is there', () => {
    expect(parseSidecarConfig({})).not.toHaveProperty('value.egress')
    expect(parseSidecarConfig({ egress: {} })).toMatchObject({
      value: { egress: { confinement: 'require', port: 15_202 } },
    })
  })

  test.each([
    ['another word', { confinement: 'maybe' }, 'egress.confinement: must be one of'],
    [
      'a proxy of another kind',
      { parentProxy: { url: 'socks5://proxy:1080' } },
      'egress.parentProxy.url: must be',
    ],
    [
      'a proxy with a password',
      { parentProxy: { url: 'http://a:b@proxy:3128' } },
      'egress.parentProxy.url: must be http(s)://HOST:PORT',
    ],
    [
      'a proxy with a path',
      { parentProxy: { url: 'http://proxy:3128/a' } },
      'egress.parentProxy.url: must be http(s)://HOST:PORT',
    ],
    ['no bytes at all', { bytesPerSession: 0 }, 'egress.bytesPerSession: must be at least'],
  ])('%s is told', (_name, egress, expected) => {
    const config = parseSidecarConfig({ egress })
    expect(config.ok ? [] : config.error).toEqual([expect.stringContaining(expected)])
  })
})

describe('replicas', () => {
  const KEYS = '/var/run/outrigger/replicas'

  test('are absent by default, and known by a Service', () => {
    expect(parseSidecarConfig({})).not.toHaveProperty('value.replicas')
    const replicas = { service: 'outrigger-deployment-echo-headless.team-a.svc', keys: KEYS }
    expect(parseSidecarConfig({ replicas })).toMatchObject({ value: { replicas } })
  })

  test.each([
    ['an address', '10.0.0.1'],
    ['a name without its namespace', 'echo.svc'],
    ['a host elsewhere', 'echo.example.com'],
    ['a name with the domain behind it', 'echo.team-a.svc.cluster.local'],
    ['a line end', 'echo.team-a.svc\n'],
  ])('%s is no Service', (_name, service) => {
    expect(parseSidecarConfig({ replicas: { service, keys: KEYS } })).toEqual({
      ok: false,
      error: ['replicas.service: must be NAME.NAMESPACE.svc'],
    })
  })
})

describe('what does not hold together is told', () => {
  const HTTP = { transport: 'http', port: '8000' }

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    [
      'HTTP without a port',
      { settings: { transport: 'sse' } },
      'port: missing; transport sse needs',
    ],
    [
      'a token that was verified',
      { settings: { ...HTTP, 'forward-headers': 'authorization' } },
      'Authorization goes on with auth: none only',
    ],
    [
      'headers of callers who share',
      { settings: { ...HTTP, 'forward-headers': 'X-A', 'process-model': 'shared' } },
      'with process-model: shared callers would share',
    ],
    [
      'a path that is the endpoint',
      { settings: { ...HTTP, path: '/v1/', 'open-paths': '/V1' } },
      'open-paths: /V1 is where the server speaks MCP',
    ],
    [
      'a port that stands for two things',
      { settings: HTTP, isSupervised: true, standIns: [{ port: 9 }], carriedPorts: [9] },
      'port 9 stands there twice',
    ],
    ['ports of a server that has them', { carriedPorts: [9090] }, 'carriedPorts: only with'],
  ])('%s', (_name, document, expected) => {
    const config = parseSidecarConfig(document)
    expect(config.ok ? [] : config.error).toEqual([expect.stringContaining(expected)])
  })
})

describe('what is wrong is told in words', () => {
  test.each([
    [
      'a number for a text',
      { settings: { 'max-processes': 2 } },
      'settings.max-processes: must be a string (in YAML put it in quotes)',
    ],
    ['a text for a mapping', { settings: 'fast' }, 'settings: must be a mapping'],
    ['a text for a number', { port: '80' }, 'port: must be a number'],
    ['a text for a list', { allowedHosts: 'a' }, 'allowedHosts: must be a list'],
    [
      'a host that no Host says',
      { allowedHosts: ['tools.svc:8080'] },
      'allowedHosts.0: can never match: a host is a name or an address, without scheme, port or wildcard (`*` alone is any)',
    ],
    [
      'an origin that no Origin says',
      { allowedOrigins: ['https://a.example', 'https://a.example/mcp'] },
      'allowedOrigins.1: can never match: an Origin is scheme://host or scheme://host:port, without path or wildcard',
    ],
    [
      'a setting that is mistyped',
      { settings: { 'idle-timout': '2s' } },
      'settings: "idle-timout" is not a key of the annotation table; did you mean idle-timeout?',
    ],
  ])('%s', (_name, document, expected) => {
    expect(parseSidecarConfig(document)).toEqual({ ok: false, error: [expected] })
  })
})

test('hosts and origins of every kind are taken', () => {
  const allowedHosts = ['*', 'tools.svc', '::1', '[::1]', '192.0.2.1']
  const allowedOrigins = [
    'https://a.example',
    'chrome-extension://abc',
    'app://-',
    'vscode-webview://a',
  ]
  expect(parseSidecarConfig({ allowedHosts, allowedOrigins })).toMatchObject({ ok: true })
})
