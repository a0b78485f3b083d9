import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { MAX_UPDATE_VALUES } from '../../../webhook/admission/extent.ts'
import { MAX_DEPTH, MAX_VALUES } from '../../../webhook/inject/limits.ts'
import { VIOLATIONS } from '../../../webhook/settings/violation.ts'
import { createTelemetry } from '../../../webhook/telemetry.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const README = readFileSync(new URL('../../../webhook/README.md', import.meta.url), 'utf8')
const between = (begin: string, end: string): string =>
  README.split(begin)[1]?.split(end)[0]?.trim() ?? ''

describe('webhook/README.md', () => {
  test('lists the codes that a pod can be denied for, no more and no less', () => {
    const rows = Object.entries(VIOLATIONS).map(
      ([code, meaning]) => `| \`${code}\` | ${meaning.replaceAll('’', "'")} |`,
    )
    const table = between('<!-- violations:begin -->', '<!-- violations:end -->')
    expect(table.split('\n')).toEqual(['| code | |', '| --- | --- |', ...rows])
  })

  test('gives the bounds of a pod', () => {
    const [values, depth] = [MAX_VALUES.toLocaleString('en'), MAX_DEPTH]
    expect(README).toContain(`At most: ${values} values and ${depth} levels in all`)
    const most = MAX_UPDATE_VALUES.toLocaleString('en')
    expect(README).toContain(
      `a review holds more than ${values} values (${most} where a pod is changed, which comes twice) or ${depth} levels`,
    )
  })

  test('lists every member of the cluster configuration', () => {
    const config = clusterConfig({
      sidecar: { image: 'x' },
      floor: { basePolicy: { version: 1 }, egressMode: 'observe' },
    })
    const { floor, sidecar } = config
    const members = [
      ...Object.keys(floor).map((name) => `floor.${name}`),
      ...['namespaces', 'names', 'images', 'lock'].map((name) => `floor.toolLocks[].${name}`),
      ...Object.keys(sidecar).map((name) => `sidecar.${name}`),
      'sidecar.imagePullPolicy',
      'settings',
      'registries',
      'registries.HOST.mirror',
      'registries.HOST.realms',
      'registries.HOST.caFile',
      'registries.HOST.allowPlainHttp',
      'server.defaultUid',
      'server.defaultGid',
      'server.limits.cpu',
      'server.limits.memory',
      'server.requests.cpu',
      'server.requests.memory',
      'systemNamespaces',
      'traces.endpoint',
      'traces.sampleRatio',
    ]
    for (const member of members) expect(README).toContain(`\`${member}\``)
    const [, table = ''] = README.split('## The cluster configuration')
    const documented = table.match(/`(floor|sidecar)\.[a-zA-Z]+`/g) ?? []
    expect(documented.length).toBeGreaterThanOrEqual(Object.keys(floor).length)
    for (const name of documented) expect(members).toContain(name.replaceAll('`', ''))
  })

  test('names every metric of its own', async () => {
    const metrics = await createTelemetry().registry.getMetricsAsJSON()
    const own = metrics.map(({ name }) => name).filter((name) => name.startsWith('outrigger_'))
    expect(own.length).toBeGreaterThan(0)
    for (const name of own) expect(README).toContain(`\`${name}`)
  })
})
