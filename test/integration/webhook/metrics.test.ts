// What a webhook that runs says of itself, against the README's table: each metric with its labels, and no other.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../shared/json.ts'
import { VERSION } from '../../../shared/names.ts'
import { createLoopbackCertificate } from '../../../webhook/embedded.ts'
import type { Webhook } from '../../../webhook/server.ts'
import { postReview, reviewOf } from '../../support/admission.ts'
import { configWith, startOnLoopback } from '../../support/loopback-webhook.ts'
import { listedMetrics } from '../../support/metric-table.ts'

const README = fileURLToPath(new URL('../../../webhook/README.md', import.meta.url))

const podOf = (more: JsonObject): JsonObject => ({
  metadata: { annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' } },
  spec: { containers: [{ name: 'c', image: 'i', command: ['x'] }], ...more },
})

let webhook: Webhook
let text = ''

/** Has what it says of reviews: one that is injected, with a warning, one that is denied, one that is none. */
beforeAll(async () => {
  const config = configWith({ enforce: 'baseline', warn: 'strict', audit: 'strict' })
  const certificate = await createLoopbackCertificate()
  webhook = await startOnLoopback(certificate, {
    config: () => config,
    followers: [{ resource: 'services', ageMs: () => 1, current: () => ({ leftOut: 0 }) }],
  })
  webhook.authorities([['signing', new Date(Date.now() + 1000)]])
  webhook.reconfigured(undefined)
  const url = `https://127.0.0.1:${webhook.port}/mutate`
  for (const pod of [podOf({}), podOf({ hostNetwork: true })]) {
    await postReview(url, certificate.authorityPem, JSON.stringify(reviewOf(pod)))
  }
  await postReview(url, certificate.authorityPem, '[]')
  text = await (await fetch(`http://127.0.0.1:${webhook.adminPort}/metrics`)).text()
}, 60_000)

afterAll(() => webhook.close())

/** `metric label …` of all that are ours. */
const shown = (): readonly string[] => {
  const lines = text.split('\n').filter((line) => line.startsWith('outrigger_'))
  const all = lines.map((line) => {
    const [, name = '', inner = ''] =
      /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? /.exec(line) ?? []
    const labels = [...inner.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
    return [name, ...labels.filter((label) => label !== 'le')].join(' ')
  })
  return [...new Set(all)].toSorted()
}

test('the README lists each metric with its labels, and no other', () => {
  expect([...listedMetrics(README)].toSorted()).toEqual(shown())
})

test.each([
  [
    'what was decided, and why',
    'outrigger_admission_reviews_total{decision="deny",reason="rule"} 1',
  ],
  [
    'which rule was broken',
    'outrigger_rule_breaches_total{rule="host-namespaces",effect="denied"} 1',
  ],
  [
    'what only warns',
    /^outrigger_rule_breaches_total\{rule="image-digest",effect="warned"\} [12]$/m,
  ],
  [
    'what is on record',
    /^outrigger_rule_breaches_total\{rule="image-digest",effect="recorded"\} [12]$/m,
  ],
  ['what was no review', 'outrigger_admission_failures_total{reason="malformed"} 1'],
  ['that nobody waits', 'outrigger_admission_queue 0'],
  ['that nothing is held', 'outrigger_admission_held_bytes 0'],
  ['what runs', `outrigger_build_info{version="${VERSION}",node="${process.versions.node}"} 1`],
])('says %s', (_name, line) => {
  expect(text).toEqual(
    line instanceof RegExp ? expect.stringMatching(line) : expect.stringContaining(line),
  )
})
