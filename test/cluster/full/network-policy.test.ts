// The cluster's own enforcement of NetworkPolicies (a stand-in, see policy/rules.ts): every pod asks
// every other on two ports, and who reaches whom must be what the policies say.

import { afterEach, beforeAll, expect, test } from '@jest/globals'
import { at, createApi, list, type Json } from '../api.ts'
import { describeCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { webContainer } from '../web-container.ts'

const PLACES = ['np-x', 'np-y'] as const
const NAMES = ['a', 'b'] as const
const PORTS = [80, 81] as const

interface Who {
  readonly place: string
  readonly name: string
}
interface Ask {
  readonly from: Who
  readonly to: Who
  readonly port: number
}

const EVERYBODY: readonly Who[] = PLACES.flatMap((place) => NAMES.map((name) => ({ place, name })))
const nameOf = ({ place, name }: Who): string => `${place}/${name}`
const ASKS: readonly Ask[] = EVERYBODY.flatMap((from) =>
  EVERYBODY.flatMap((to) => PORTS.map((port) => ({ from, to, port }))),
)
const sentence = ({ from, to, port }: Ask): string => `${nameOf(from)} -> ${nameOf(to)}:${port}`

const serverOn = (port: number): Json => ({
  ...webContainer(port),
  name: `port-${port}`,
  ports: [{ containerPort: port, name: `named-${port}` }],
})

const podOf = ({ name }: Who): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { pod: name } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      ...PORTS.map(serverOn),
      { name: 'ask', image: 'outrigger.test/busybox:1', imagePullPolicy: 'Never' },
    ],
  },
})

const policy = (name: string, spec: Json): Json => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec: { podSelector: {}, ...spec },
})
const place = (name: string): Json => ({ matchLabels: { 'kubernetes.io/metadata.name': name } })
const pod = (name: string): Json => ({ matchLabels: { pod: name } })
const isSame = ({ from, to }: Ask): boolean => nameOf(from) === nameOf(to)

interface Row {
  readonly name: string
  /** All in np-x. */
  readonly policies: readonly Json[]
  /** Whether an ask is answered; pods that ask themselves always are. */
  readonly allows: (ask: Ask) => boolean
}

const intoX = ({ to }: Ask): boolean => to.place === 'np-x'
const outOfX = ({ from }: Ask): boolean => from.place === 'np-x'

const ROWS: readonly Row[] = [
  { name: 'no policy', policies: [], allows: () => true },
  { name: 'default deny of ingress', policies: [policy('p', {})], allows: (ask) => !intoX(ask) },
  {
    name: 'default deny of egress',
    policies: [policy('p', { policyTypes: ['Egress'] })],
    allows: (ask) => !outOfX(ask),
  },
  {
    name: 'default deny of both',
    policies: [policy('p', { policyTypes: ['Ingress', 'Egress'] })],
    allows: (ask) => !intoX(ask) && !outOfX(ask),
  },
  {
    name: 'only pod a is isolated',
    policies: [policy('p', { podSelector: pod('a') })],
    allows: (ask) => !intoX(ask) || ask.to.name !== 'a',
  },
  {
    name: 'all ingress allowed again',
    policies: [policy('deny', {}), policy('allow', { ingress: [{}] })],
    allows: () => true,
  },
  {
    name: 'from the same namespace',
    policies: [policy('p', { ingress: [{ from: [{ podSelector: {} }] }] })],
    allows: (ask) => !intoX(ask) || outOfX(ask),
  },
  {
    name: 'from another namespace',
    policies: [policy('p', { ingress: [{ from: [{ namespaceSelector: place('np-y') }] }] })],
    allows: (ask) => !intoX(ask) || !outOfX(ask),
  },
  {
    name: 'from one pod of another namespace',
    policies: [
      policy('p', {
        ingress: [{ from: [{ namespaceSelector: place('np-y'), podSelector: pod('b') }] }],
      }),
    ],
    allows: (ask) => !intoX(ask) || nameOf(ask.from) === 'np-y/b',
  },
  {
    name: 'from a pod here or any pod there',
    policies: [
      policy('p', {
        ingress: [{ from: [{ namespaceSelector: place('np-y') }, { podSelector: pod('b') }] }],
      }),
    ],
    allows: (ask) => !intoX(ask) || nameOf(ask.from) !== 'np-x/a',
  },
  {
    name: 'by expressions',
    policies: [
      policy('p', {
        ingress: [
          {
            from: [
              {
                namespaceSelector: {},
                podSelector: {
                  matchExpressions: [
                    { key: 'pod', operator: 'NotIn', values: ['a'] },
                    { key: 'pod', operator: 'Exists' },
                  ],
                },
              },
            ],
          },
        ],
      }),
    ],
    allows: (ask) => !intoX(ask) || ask.from.name === 'b',
  },
  {
    name: 'one port',
    policies: [policy('p', { ingress: [{ ports: [{ port: 81 }] }] })],
    allows: (ask) => !intoX(ask) || ask.port === 81,
  },
  {
    name: 'a named port',
    policies: [policy('p', { ingress: [{ ports: [{ port: 'named-80' }] }] })],
    allows: (ask) => !intoX(ask) || ask.port === 80,
  },
  {
    name: 'a range of ports',
    policies: [policy('p', { ingress: [{ ports: [{ port: 81, endPort: 90 }] }] })],
    allows: (ask) => !intoX(ask) || ask.port === 81,
  },
  {
    name: 'another protocol only',
    policies: [policy('p', { ingress: [{ ports: [{ protocol: 'UDP' }] }] })],
    allows: (ask) => !intoX(ask),
  },
  {
    name: 'two policies add up',
    policies: [
      policy('p', { ingress: [{ ports: [{ port: 81 }] }] }),
      policy('q', { ingress: [{ from: [{ podSelector: pod('a') }], ports: [{ port: 80 }] }] }),
    ],
    allows: (ask) => !intoX(ask) || ask.port === 81 || nameOf(ask.from) === 'np-x/a',
  },
  {
    name: 'egress to one pod, by a named port',
    policies: [
      policy('p', {
        policyTypes: ['Egress'],
        egress: [
          {
            to: [{ namespaceSelector: place('np-y'), podSelector: pod('a') }],
            ports: [{ port: 'named-80' }],
          },
        ],
      }),
    ],
    allows: (ask) => !outOfX(ask) || (nameOf(ask.to) === 'np-y/a' && ask.port === 80),
  },
  {
    name: 'egress to nobody that exists',
    policies: [
      policy('p', {
        policyTypes: ['Egress'],
        egress: [{ to: [{ namespaceSelector: place('np-none') }] }],
      }),
    ],
    allows: (ask) => !outOfX(ask),
  },
]

describeCluster('full', 'network policy', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  const addresses = new Map<string, string>()

  const reached = async (from: Who): Promise<readonly string[]> => {
    const asks = ASKS.filter((ask) => nameOf(ask.from) === nameOf(from))
    const script = asks
      .map(
        (ask) =>
          `(nc -w 2 ${addresses.get(nameOf(ask.to))} ${ask.port} -e true 2>/dev/null && echo "${sentence(ask)}") &`,
      )
      .join(' ')
    const exec = ['-n', from.place, 'exec', from.name, '-c', 'ask', '--', 'sh', '-c']
    const said = await kubectl.run(...exec, `${script} wait`)
    return said.trim().split('\n').filter(Boolean)
  }

  const everybodyReached = async (): Promise<readonly string[]> =>
    (await Promise.all(EVERYBODY.map(reached))).flat().sort()

  beforeAll(async () => {
    for (const name of PLACES) await api.createNamespace(name)
    for (const who of EVERYBODY) await api.apply([podOf(who)], who.place)
    for (const who of EVERYBODY) {
      const path = `/api/v1/namespaces/${who.place}/pods/${who.name}`
      await kubectl.ready(who.place, who.name)
      addresses.set(nameOf(who), String(at((await api.get(path)).body, 'status', 'podIP')))
    }
  })

  const removePolicies = async (): Promise<void> => {
    const path = '/apis/networking.k8s.io/v1/namespaces/np-x/networkpolicies'
    const { body } = await api.get(path)
    for (const item of list(body, 'items')) {
      await api.remove(`${path}/${String(at(item, 'metadata', 'name'))}`)
    }
  }
  afterEach(removePolicies)

  const untilAllowed = async (allows: Row['allows']): Promise<void> => {
    const expected = ASKS.filter((ask) => isSame(ask) || allows(ask))
      .map(sentence)
      .sort()
    let got: readonly string[] = []
    await waitFor(
      'the policy to be in force',
      async () => {
        got = await everybodyReached()
        return got.join() === expected.join() ? true : undefined
      },
      15,
    ).catch(() => undefined)
    expect(got).toEqual(expected)
  }

  test.each(ROWS)('$name', async ({ policies, allows }) => {
    await api.apply(policies, 'np-x')
    await untilAllowed(allows)
  })

  test('an address block with an exception', async () => {
    const except = [`${addresses.get('np-y/a')}/32`]
    const ipBlock = { cidr: '10.0.0.0/8', except }
    await api.apply([policy('p', { ingress: [{ from: [{ ipBlock }] }] })], 'np-x')
    await untilAllowed((ask) => !intoX(ask) || nameOf(ask.from) !== 'np-y/a')
  })

  test('follows a label that changes, and a policy that goes', async () => {
    const rule = { ingress: [{ from: [{ podSelector: { matchLabels: { may: 'yes' } } }] }] }
    await api.apply([policy('p', rule)], 'np-x')
    await untilAllowed((ask) => !intoX(ask))
    await api.patch('/api/v1/namespaces/np-x/pods/b', { metadata: { labels: { may: 'yes' } } })
    await untilAllowed((ask) => !intoX(ask) || nameOf(ask.from) === 'np-x/b')
    await removePolicies()
    await untilAllowed(() => true)
  })

  test('never keeps the node from its pods: probes go on', async () => {
    await api.apply([policy('p', { policyTypes: ['Ingress', 'Egress'] })], 'np-x')
    await untilAllowed((ask) => !intoX(ask) && !outOfX(ask))
    const probed = {
      ...podOf({ place: 'np-x', name: 'probed' }),
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            ...serverOn(80),
            readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
          },
        ],
      },
    }
    await api.apply([probed], 'np-x')
    await kubectl.run('-n', 'np-x', 'wait', '--for=condition=Ready', 'pod/probed', '--timeout=30s')
  })
})
