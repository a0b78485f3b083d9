// manifests/examples: what somebody copies has to work as it stands there.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { injectManifest } from '../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../cli/manifest/manifest.ts'
import { scanObjects } from '../../cli/scan/scan.ts'
import { at, numberAt, objectsAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import { KEEP_ALIVE_MS } from '../../sidecar/routing/terms.ts'
import { readClusterConfig } from '../../webhook/cluster/config.ts'
import type { Floor } from '../../webhook/settings/floor.ts'
import { objects, read, ROOT } from '../support/shipped-manifests.ts'

const files = readdirSync(new URL('examples/', ROOT))
const textOf = (file: string): string => read(`examples/${file}`)
const objectsIn = (file: string): readonly JsonObject[] => objects(`examples/${file}`)

/** What is reached by one of the others. */
const ROUTES = ['gateway.yaml', 'ingress.yaml']
const SERVERS = files.filter((file) => !ROUTES.includes(file))

const optionsFor = (path: string, floor: Partial<Floor> = {}): ManifestOptions => {
  const config = readClusterConfig(read(path))
  if (!config.ok) throw new Error(config.error.join())
  const common = { file: 'example', isDefaultConfig: false, namespace: 'default', namespaces: [] }
  return { ...common, config: { ...config.value, floor: { ...config.value.floor, ...floor } } }
}
const DEV = 'overlays/dev/config.yaml'

describe('an example', () => {
  test.each(SERVERS)(
    '%s is injected by the configuration for trying out, without a warning',
    (file) => {
      const result = injectManifest(textOf(file), optionsFor(DEV))
      expect(result).toMatchObject({ stderr: '', exitCode: 0 })
      expect(result.stdout).toContain('outrigger-sidecar')
    },
  )

  test.each(SERVERS)('%s is refused by the strict base', (file) => {
    const { stderr, exitCode } = injectManifest(textOf(file), optionsFor('base/config.yaml'))
    expect(exitCode).toBe(1)
    expect(stderr).toContain('allowAnonymous')
  })

  test.each(SERVERS)(
    '%s keeps to every rule of `strict`, but that its images go by tags until their digests are known',
    (file) => {
      const { stderr } = injectManifest(textOf(file), optionsFor(DEV, { enforce: 'strict' }))
      const denials = stderr.split('\n').filter((line) => line.includes('(rule '))
      expect(denials).not.toEqual([])
      for (const denial of denials) expect(denial).toMatch(/\(rule image-digest\)$/)
    },
  )

  test('of each kind of workload and of each way to start a server is there', () => {
    const kinds = SERVERS.flatMap(objectsIn).map((object) => stringAt(object, 'kind'))
    for (const kind of ['Deployment', 'StatefulSet', 'Job', 'CronJob'])
      expect(kinds).toContain(kind)
    expect(textOf('npx.yaml')).toContain('command: [npx, ')
    expect(textOf('uvx.yaml')).toContain('command: [uvx, ')
    expect(textOf('entrypoint.yaml')).not.toMatch(/^ +command:/m)
    expect(textOf('database.yaml')).toMatch(/egress: \d+=[a-z.-]+:\d+$/m)
  })
})

describe('what leads to an example', () => {
  const all = files.flatMap(objectsIn)
  const waysTo = (name: string): readonly string[] =>
    scanObjects(all, 'default')
      .filter((found) => found.name === name)
      .flatMap(({ ways }) => ways.map(({ by }) => by))

  test('reaches it by a Service', () => {
    expect(waysTo('everything')).toEqual(
      expect.arrayContaining(['HTTPRoute everything', 'Ingress everything']),
    )
    expect(waysTo('vault')).toContain('TLSRoute vault')
  })

  test('leads to a port that the Service has', () => {
    const ports = new Map(
      all
        .filter((object) => stringAt(object, 'kind') === 'Service')
        .map((object) => [
          stringAt(object, 'metadata', 'name'),
          objectsAt(object, 'spec', 'ports').map((one) => at(one, 'port')),
        ]),
    )
    const rules = all.flatMap((object) => objectsAt(object, 'spec', 'rules'))
    const backends = [
      ...rules.flatMap((rule) => objectsAt(rule, 'backendRefs')),
      ...rules
        .flatMap((rule) => objectsAt(rule, 'http', 'paths'))
        .map((path) => ({
          name: stringAt(path, 'backend', 'service', 'name') ?? '',
          port: numberAt(path, 'backend', 'service', 'port', 'number') ?? 0,
        })),
    ]
    expect(backends).toHaveLength(3)
    for (const backend of backends) {
      expect(ports.get(stringAt(backend, 'name'))).toContain(at(backend, 'port'))
    }
  })

  test('ends no call and no stream by a time-out of its own', () => {
    const route = all.find((object) => stringAt(object, 'kind') === 'HTTPRoute')
    const [rule] = objectsAt(route ?? {}, 'spec', 'rules')
    expect(rule).toMatchObject({ timeouts: { request: '0s', backendRequest: '0s' } })
    // What a gateway has to outlast, as the comments say it.
    expect(KEEP_ALIVE_MS).toBe(15_000)
    for (const file of [...ROUTES, 'tls-passthrough.yaml']) expect(textOf(file)).toContain('15 s')
  })

  test('takes off no header that MCP needs', () => {
    const removed = all
      .flatMap((object) => objectsAt(object, 'spec', 'rules'))
      .flatMap((rule) => objectsAt(rule, 'filters'))
      .flatMap((filter) => stringsAt(filter, 'requestHeaderModifier', 'remove') ?? [])
      .map((name) => name.toLowerCase())
    expect(removed.length).toBeGreaterThan(0)
    expect(
      removed.filter((name) => /^(?:mcp-|authorization|accept|last-event-id)/.test(name)),
    ).toEqual([])
  })
})
