// What people look at, against what there is: Prometheus itself scrapes sidecars under load, takes the rules, and answers
// every query of the dashboard with data. promtool checks rules, their unit tests and the exposition.

import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { asked, FOLDER, readPanels } from '../observability/dashboard.ts'
import { promtool, startPrometheus, type Prometheus } from '../observability/prometheus.ts'
import { startScenario, type Scenario } from '../observability/scenario.ts'
import { adminOf } from '../support/admin.ts'
import { everyMetric } from '../support/fake-metrics.ts'
import { removeFolder } from '../support/remove-folder.ts'

const RATE = '30s'

const QUERIES = readPanels().flatMap(({ title, targets }) =>
  targets.map(({ expr }, index) => [`${title}, ${index + 1}`, asked(expr, RATE)] as const),
)

test('promtool has no objection to the rules, and they do what their unit tests say', () => {
  expect(promtool(['check', 'rules', `${FOLDER}rules.yaml`])).toContain('SUCCESS')
  expect(promtool(['test', 'rules', `${FOLDER}rules.test.yaml`])).toContain('SUCCESS')
})

describe('sidecars and a webhook under load', () => {
  let folder: string
  let scenario: Scenario
  let prometheus: Prometheus
  const over = new AbortController()
  /** Of what has begun, in its order: where one cannot begin, the others end all the same. */
  const ends: (() => Promise<unknown>)[] = []

  const goOn = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await scenario.round(5)
      await sleep(200)
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-observability-'))
    ends.push(() => removeFolder(folder))
    scenario = await startScenario(join(folder, 'scenario'))
    ends.push(scenario.stop)
    prometheus = await startPrometheus(folder, scenario.targets)
    ends.push(prometheus.stop)
    const load = goOn()
    ends.push(() => load)
  })

  afterAll(async () => {
    over.abort()
    for (const end of ends.toReversed()) await end()
  })

  const hasData = async (query: string): Promise<boolean> =>
    (await prometheus.query(query)).some(({ value }) => Number.isFinite(value?.[1]))

  test.each(QUERIES)('the panel %s has data', async (_name, query) => {
    while (!(await hasData(query))) await sleep(500)
  })

  test('every rule can be evaluated', async () => {
    const rules = await prometheus.rules()
    expect(rules.length).toBeGreaterThan(20)
    expect(rules.filter(({ health }) => health === 'err')).toEqual([])
  })

  test('the recording rules have data', async () => {
    const text = readFileSync(`${FOLDER}rules.yaml`, 'utf8')
    const records = [...text.matchAll(/- record: (\S+)/g)].map(([, name = '']) => name)
    expect(records.length).toBeGreaterThan(4)
    for (const name of records) while (!(await hasData(name))) await sleep(500)
  })

  test('promtool has no objection to what is exposed, which is each metric that there is', async () => {
    const names = new Set<string>()
    for (const { adminPort, labels } of scenario.targets) {
      const { text } = await adminOf(adminPort).get('/metrics')
      const isSidecar = labels['mcp_server'] !== undefined
      // The webhook has all that prom-client gives, some of it by names that promtool objects to, and is held to its README elsewhere.
      const own = text.split(/(?<=\n)/).filter((line) => isSidecar || line.includes('outrigger_'))
      expect(promtool(['check', 'metrics'], own.join(''))).toBe('')
      if (!isSidecar) continue
      for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) names.add(name)
    }
    expect([...names].sort()).toEqual([...(await everyMetric()).keys()].sort())
  })
})
