import { describe, expect, test } from '@jest/globals'
import type { Json } from '../../../../shared/json.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import { judgeConnection } from '../../../../webhook/validation/connection.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const configWith = (floor: Readonly<Record<string, Json>>): ClusterConfig =>
  clusterConfig({ sidecar: { image: 'x' }, floor })

interface Row {
  readonly name: string
  readonly floor?: Readonly<Record<string, Json>>
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace?: string
  readonly groups?: readonly string[]
  readonly isInjected?: boolean
  readonly becomes: 'denied' | 'complies' | 'break-glass' | 'system-namespace' | 'not-injected'
  readonly isRecorded: boolean
}

const STRICT = { 'outrigger.dev/enforce': 'strict' }
const ROWS: readonly Row[] = [
  { name: 'at baseline', becomes: 'complies', isRecorded: true },
  { name: 'in strict, by the label', labels: STRICT, becomes: 'denied', isRecorded: false },
  {
    name: 'in strict, by the floor',
    floor: { enforce: 'strict' },
    becomes: 'denied',
    isRecorded: false,
  },
  {
    name: 'in strict, by a group that is another',
    labels: STRICT,
    floor: { allowBreakGlass: ['on-call'] },
    groups: ['on-call-2', 'system:masters'],
    becomes: 'denied',
    isRecorded: false,
  },
  {
    name: 'in strict, by break-glass',
    labels: STRICT,
    floor: { allowBreakGlass: ['on-call'] },
    groups: ['on-call'],
    becomes: 'break-glass',
    isRecorded: true,
  },
  {
    name: 'in strict, where the floor excepts the namespace',
    labels: STRICT,
    floor: { allowExceptions: [{ rules: ['connections'], namespaces: ['team-a'] }] },
    becomes: 'complies',
    isRecorded: true,
  },
  {
    name: 'in strict, into a pod without a server',
    labels: STRICT,
    isInjected: false,
    becomes: 'not-injected',
    isRecorded: false,
  },
  {
    name: 'in a namespace of the system',
    namespace: 'kube-system',
    labels: STRICT,
    becomes: 'system-namespace',
    isRecorded: false,
  },
]

describe.each(['exec', 'attach', 'portforward', 'proxy'])('%s', (how) => {
  test.each(ROWS)(
    '$name',
    ({
      floor = {},
      labels = {},
      namespace = 'team-a',
      groups = [],
      isInjected = true,
      becomes,
      isRecorded,
    }) => {
      const { decided, recorded } = judgeConnection(
        {
          how,
          name: 'web-1',
          options: { container: 'server', command: ['sh', '-c', 'secret'] },
          groups,
          isInjected,
        },
        { name: namespace, labels, annotations: {} },
        configWith(floor),
      )
      expect(decided.kind === 'deny' ? 'denied' : decided.reason).toBe(becomes)
      const said = `pod "web-1": ${how} into container "server"`
      if (decided.kind === 'deny') expect(decided.violations[0]?.message).toContain(said)
      expect(recorded.map(({ where, found }) => `${where}: ${found}`)).toEqual(
        isRecorded ? [said] : [],
      )
      expect(JSON.stringify([decided, recorded])).not.toContain('secret')
    },
  )
})
