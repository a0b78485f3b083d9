// What README.md shows of a cluster configuration, a tool policy and annotations is right as it stands there.

import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { PREFIX } from '../../shared/annotations.ts'
import { readArguments } from '../../shared/policy/arguments.ts'
import { readPolicy } from '../../shared/policy/policy.ts'
import { objectAt, objectsAt, stringAt, type Json } from '../../shared/json.ts'
import { parseSettings } from '../../shared/settings.ts'
import { readClusterConfig } from '../../webhook/cluster/config.ts'
import { callerVariableViolations } from '../../webhook/settings/caller-variables.ts'
import { egressViolations } from '../../webhook/settings/destinations.ts'

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The YAML blocks under a heading, one at least. */
const blocksUnder = (heading: string): readonly string[] => {
  const [, section = ''] = README.split(`\n## ${heading}\n`)
  const [own = ''] = section.split('\n## ')
  const blocks = [...own.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text ?? '')
  if (blocks.length === 0) throw new Error(`README.md has no YAML under ${heading}`)
  return blocks
}

const [CONTROLLER = ''] = blocksUnder('In a cluster')
const [FLOOR = '', TRUST = '', CLAIMS = '', VARIABLES = ''] = blocksUnder('Identity')
const [CONFIG_MAP = '', LIMITS = ''] = blocksUnder('Tool policy and limits')
const [EGRESS = '', EGRESS_FLOOR = ''] = blocksUnder('Egress')
const json = (text: string): Json => parse(text)

test('the floor of the cluster configuration', () => {
  const read = readClusterConfig(`sidecar: { image: outrigger-sidecar }\n${FLOOR}`)
  expect(read.ok ? read.value.floor.issuers.map(({ url }) => url) : read.error).toEqual([
    'https://login.example.com/realms/tools',
  ])
})

test('what is asked of the controller', () => {
  const read = readClusterConfig(`sidecar: { image: outrigger-sidecar }\n${CONTROLLER}`)
  if (!read.ok) throw new Error(read.error.join())
  expect(read.value.companions?.replicas).toBe(true)
  expect(read.value.floor.ownServiceAccounts).toEqual(['*'])
})

test('what the floor lists of callers is what the annotation gives a process', () => {
  const read = readClusterConfig(`sidecar: { image: outrigger-sidecar }\n${CLAIMS}`)
  const key = 'caller-environment'
  const text = stringAt(json(VARIABLES), 'metadata', 'annotations', `${PREFIX}${key}`) ?? ''
  const settings = parseSettings({ [key]: text })
  if (!read.ok || !settings.ok) throw new Error(JSON.stringify([read, settings]))
  expect(settings.value[key]).toHaveLength(1)
  expect(callerVariableViolations(settings.value, new Map(), read.value.floor)).toEqual([])
})

test('what the floor lists for egress is what the annotation names', () => {
  const read = readClusterConfig(`sidecar: { image: outrigger-sidecar }\n${EGRESS_FLOOR}`)
  if (!read.ok) throw new Error(read.error.join())
  const annotations = objectAt(json(EGRESS), 'metadata', 'annotations')
  const text = stringAt(annotations, `${PREFIX}egress`) ?? ''
  const placed = new Map([['egress', { text, where: 'pod', isDefault: false }] as const])
  expect(egressViolations(placed, 'team-data', read.value.floor.egress)).toEqual([])
  expect(read.value.floor.egressMode).toBe('enforce')
})

test.each([
  ['who is trusted', TRUST],
  ['policy and limits', LIMITS],
  ['what is reached', EGRESS],
])('annotations: %s', (_what, text) => {
  const texts = Object.entries(objectAt(json(text), 'metadata', 'annotations')).flatMap(
    ([name, value]) =>
      typeof value === 'string' ? [[name.slice(PREFIX.length), value] as const] : [],
  )
  expect(texts.length).toBeGreaterThan(2)
  expect(parseSettings(Object.fromEntries(texts))).toMatchObject({ ok: true })
})

test('the tool policy is of the namespace, and decides as its words say', () => {
  const map = json(CONFIG_MAP)
  const read = readPolicy(stringAt(map, 'data', 'policy.yaml') ?? '')
  if (!read.ok) throw new Error(JSON.stringify(read.error))
  const [issuer] = objectsAt(json(FLOOR), 'floor', 'issuers')
  const caller = {
    issuer: stringAt(issuer ?? null, 'url') ?? '',
    subject: 'alice',
    groups: ['staff'],
    scopes: [],
  }
  const may = (name: string, args = '{}', who: typeof caller | undefined = caller): boolean =>
    read.value.policy.decide({
      caller: who,
      method: 'tools/call',
      target: { kind: 'tools', name },
      argumentsOf: () => readArguments(args),
    }).isAllowed
  expect([may('search'), may('list_all'), may('export', '{"rows":1000}')]).toEqual([
    true,
    true,
    true,
  ])
  expect([may('export', '{"rows":1001}'), may('delete_all'), may('other')]).toEqual([
    false,
    false,
    false,
  ])
  expect(may('search', '{}', { ...caller, groups: [] })).toBe(false)
  expect([stringAt(map, 'metadata', 'name'), stringAt(map, 'metadata', 'namespace')]).toEqual([
    stringAt(json(LIMITS), 'metadata', 'annotations', `${PREFIX}tool-policy`),
    'team-a',
  ])
})
