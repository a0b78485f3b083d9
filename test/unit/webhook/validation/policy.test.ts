import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Guarded } from '../../../../webhook/validation/guarded.ts'
import { judgePolicy, needsGuarded } from '../../../../webhook/validation/policy.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configWith = (floor: Readonly<Record<string, Json>>, hasCompanions = true): ClusterConfig => {
  const companions = hasCompanions ? { companions: {} } : {}
  return clusterConfig({ sidecar: { image: 'x' }, floor, ...companions })
}

const STRICT = { 'outrigger.dev/enforce': 'strict' }
const OPEN: JsonObject = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] }
const CLOSED: JsonObject = { podSelector: {}, policyTypes: ['Ingress'], ingress: [] }
const GUARDED: Guarded = [{ server: 'deployment-web', pods: [], spec: undefined }]

interface Row {
  readonly name: string
  readonly floor?: Readonly<Record<string, Json>>
  readonly hasCompanions?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace?: string
  readonly before?: JsonObject
  readonly after?: JsonObject
  readonly guarded?: Guarded
  readonly becomes: 'denied' | 'complies' | 'unchanged' | 'system-namespace'
  readonly isRecorded?: boolean
  readonly isWarned?: boolean
  readonly isLookedAt: boolean
}

const ROWS: readonly Row[] = [
  { name: 'in strict, by the label', labels: STRICT, becomes: 'denied', isLookedAt: true },
  {
    name: 'in strict, by the floor',
    floor: { enforce: 'strict' },
    becomes: 'denied',
    isLookedAt: true,
  },
  { name: 'at baseline', becomes: 'complies', isLookedAt: false },
  {
    name: 'where strict only warns',
    floor: { warn: 'strict' },
    becomes: 'complies',
    isWarned: true,
    isLookedAt: true,
  },
  {
    name: 'where strict is only on record',
    floor: { audit: 'strict' },
    becomes: 'complies',
    isRecorded: true,
    isLookedAt: true,
  },
  {
    name: 'where the floor excepts the namespace',
    labels: STRICT,
    floor: { allowExceptions: [{ rules: ['network-policies'], namespaces: ['team-a'] }] },
    becomes: 'complies',
    isLookedAt: true,
  },
  {
    name: 'where no companions are kept',
    labels: STRICT,
    hasCompanions: false,
    becomes: 'complies',
    isLookedAt: false,
  },
  {
    name: 'in a namespace of the system',
    namespace: 'kube-system',
    labels: STRICT,
    becomes: 'system-namespace',
    isLookedAt: false,
  },
  {
    name: 'one that closes',
    labels: STRICT,
    after: CLOSED,
    becomes: 'complies',
    isLookedAt: false,
  },
  {
    name: 'one that stays as it was',
    labels: STRICT,
    before: OPEN,
    becomes: 'unchanged',
    isLookedAt: false,
  },
  {
    name: 'one that opens from now on',
    labels: STRICT,
    before: CLOSED,
    becomes: 'denied',
    isLookedAt: true,
  },
  {
    name: 'one that selects nobody that is guarded',
    labels: STRICT,
    after: { ...OPEN, podSelector: { matchLabels: { app: 'db' } } },
    becomes: 'complies',
    isLookedAt: true,
  },
  {
    name: 'one of every pod, where none is there yet',
    labels: STRICT,
    guarded: [],
    becomes: 'denied',
    isLookedAt: true,
  },
  {
    name: 'one of which nobody can tell',
    labels: STRICT,
    guarded: 'the API server is down',
    becomes: 'denied',
    isLookedAt: true,
  },
]

const saidOf = (guarded: Guarded): string =>
  `NetworkPolicy "theirs": ${
    typeof guarded === 'string'
      ? `nobody can tell what it opens: ${guarded}`
      : 'it selects injected pods, or would, and opens ingress that their own policy closes'
  }`

const judged = ({ namespace = 'team-a', labels = {}, after = OPEN, ...row }: Row) => {
  const config = configWith(row.floor ?? {}, row.hasCompanions)
  const place = { name: namespace, labels, annotations: {} }
  const write = { name: 'theirs', before: row.before, after }
  const isLookedAt = needsGuarded(write, place, config)
  const looked = isLookedAt ? (row.guarded ?? GUARDED) : undefined
  return { isLookedAt, ...judgePolicy(write, looked, { namespace: place, config }) }
}

describe('a NetworkPolicy of somebody else’s', () => {
  test.each(ROWS)('$name', (row) => {
    const { isLookedAt, decided, recorded } = judged(row)
    expect(isLookedAt).toBe(row.isLookedAt)
    expect(decided.kind === 'deny' ? 'denied' : decided.reason).toBe(row.becomes)
    const said = saidOf(row.guarded ?? GUARDED)
    if (decided.kind === 'deny') {
      expect(decided.violations.map(({ rule }) => rule)).toEqual(['network-policies'])
      expect(decided.violations[0]?.message).toContain(said)
    }
    expect(decided.warnings.some((text) => text.startsWith(said))).toBe(row.isWarned === true)
    expect(recorded.map(({ rule }) => rule)).toEqual(row.isRecorded ? ['network-policies'] : [])
  })
})
