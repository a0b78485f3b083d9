// Each rule over pods that keep to it and pods that break it (test/golden/rules). What is said of each
// pod stands beside them as text, written by UPDATE_GOLDEN=1.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { isObject, stringAt, type JsonObject } from '../../../../shared/json.ts'
import { CHECKS } from '../../../../webhook/rules/checks.ts'
import { breachesOf, breachWords, type Breach } from '../../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../../webhook/rules/judged.ts'
import { RULE_IDS } from '../../../../webhook/settings/rule.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const ROOT = fileURLToPath(new URL('../../../golden/rules/', import.meta.url))
const proxy = {
  name: 'istio-proxy',
  image: 'example.com/proxy',
  digests: [`sha256:${'0'.repeat(64)}`],
}
const config = clusterConfig({
  sidecar: { image: 'example.com/sidecar' },
  floor: { exemptContainers: [proxy] },
})

interface Case {
  readonly name: string
  readonly isPass: boolean
  readonly breaches: readonly Breach[]
}

const nameOf = (pod: JsonObject): string => stringAt(pod, 'metadata', 'name') ?? ''

const casesOf = (rule: string): readonly Case[] =>
  parseAllDocuments(readFileSync(`${ROOT}${rule}.yaml`, 'utf8')).map((document) => {
    const pod: unknown = document.toJS()
    if (!isObject(pod)) throw new Error(`${rule}: a document is no pod`)
    const breaches = breachesOf(judgedPod(pod, config, { server: 'server' }))
    return { name: nameOf(pod), isPass: nameOf(pod).startsWith('pass-'), breaches }
  })

const told = ({ name, breaches }: Case): string =>
  [name, ...breaches.map((breach) => `  ${breachWords(breach)}`)]
    .map((line) => `${line}\n`)
    .join('')

/** The others are told by comparison: test/unit/webhook/validation. */
const CHECKED = RULE_IDS.filter((id) => CHECKS[id] !== undefined)

describe('the rules, by golden files', () => {
  test('each has its pods, and there are none for others', () => {
    const files = readdirSync(ROOT).filter((name) => name.endsWith('.yaml'))
    expect(files).toEqual(CHECKED.map((id) => `${id}.yaml`).sort())
  })

  test.each(CHECKED)('%s', (rule) => {
    const cases = casesOf(rule)
    const text = cases.map(told).join('')
    const golden = `${ROOT}${rule}.txt`
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text)
    expect(text).toBe(readFileSync(golden, 'utf8'))
    expect(cases.some(({ isPass }) => isPass)).toBe(true)
    expect(cases.some(({ isPass }) => !isPass)).toBe(true)
    for (const { isPass, breaches } of cases) {
      const broken = [...new Set(breaches.map((breach) => breach.rule))]
      expect(broken).toEqual(isPass ? [] : [rule])
    }
  })

  test.each(['hunter2', 'sk-live', 'AKIA0123456789ABCDEF', 'npm_0123456789'])(
    'the secret %s is told to nobody',
    (secret) => {
      expect(readFileSync(`${ROOT}secret-literal.yaml`, 'utf8')).toContain(secret)
      expect(readFileSync(`${ROOT}secret-literal.txt`, 'utf8')).not.toContain(secret)
    },
  )
})
