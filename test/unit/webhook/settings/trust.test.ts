import { describe, expect, test } from '@jest/globals'
import { objectAt, type JsonObject } from '../../../../shared/json.ts'
import { readClusterConfig, type ClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { ownSidecar } from '../../../../webhook/inject/pod.ts'
import { documentOf } from '../../../../webhook/inject/stand-ins.ts'

const TOOLS = 'https://login.example.com/realms/tools'
const AUTH0 = 'https://tenant.auth0.com/'
const EVIL = 'https://login.evil.example'
const OWN = 'https://mcp.example.com/team-a/echo'

const LISTS = `
  issuers:
    - { url: '${TOOLS}', audiences: [shared, batch], hosts: [{ host: keys.example.com }] }
    - { url: '${AUTH0}', audiences: [shared, api] }
  publicUrls: { '*': ['https://mcp.example.com/{namespace}/*'] }`

/** Both may be asked about tokens. */
const ASKED = `
  issuers:
    - { url: '${TOOLS}', introspectionUrl: '${TOOLS}/introspect' }
    - { url: '${AUTH0}', introspectionUrl: '${AUTH0}introspect' }
  publicUrls: { '*': ['https://mcp.example.com/{namespace}/*'] }`

const configWith = (floor: string, settings = '{}'): ClusterConfig => {
  const config = readClusterConfig(
    `sidecar: { image: x }\nsettings: ${settings}\nfloor:\n  allowAnonymous: true${floor}\n`,
  )
  if (!config.ok) throw new Error(config.error.join('\n'))
  return config.value
}

const prefixed = (texts: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [`outrigger.dev/${key}`, text]))

type Texts = Readonly<Record<string, string>>

interface Case {
  readonly pod?: Texts
  readonly namespace?: Texts
  readonly labels?: Texts
  readonly spec?: JsonObject
  readonly config?: ClusterConfig
}

const rendered = ({ pod = {}, namespace = {}, labels = {}, spec = {}, config }: Case) => {
  const around: Namespace = { name: 'team-a', labels: {}, annotations: prefixed(namespace) }
  const object = {
    metadata: { annotations: prefixed({ inject: 'true', ...pod }), labels: prefixed(labels) },
    spec: { containers: [{ name: 'c', image: 'i', command: ['x'] }], ...spec },
  }
  return render(object, around, config ?? configWith(LISTS))
}

/** Whom the sidecar believes, each with its audiences; undefined where the pod is denied. */
const believed = (one: Case): unknown => {
  const outcome = rendered(one)
  if (outcome.kind !== 'inject') return undefined
  const document = documentOf(ownSidecar(outcome.pod))
  return document?.issuers.map(({ url, audiences }) => [url, audiences])
}

const denials = (one: Case): readonly (readonly [code: string, message: string])[] => {
  const outcome = rendered(one)
  return outcome.kind === 'deny'
    ? outcome.violations.map(({ code, message }) => [code, message] as const)
    : []
}

describe('whom a sidecar believes', () => {
  test.each<readonly [string, Case, unknown]>([
    [
      'without a word: all that are listed, for its own URL alone',
      { pod: { 'public-url': OWN } },
      [
        [TOOLS, undefined],
        [AUTH0, undefined],
      ],
    ],
    [
      'the chosen ones, in the order in which they are named',
      { pod: { 'public-url': OWN, 'oidc-issuers': `${AUTH0}, ${TOOLS}` } },
      [
        [AUTH0, undefined],
        [TOOLS, undefined],
      ],
    ],
    [
      'each for its own audiences, and nobody whose none are chosen',
      { pod: { 'oidc-audience': 'batch' } },
      [[TOOLS, ['batch']]],
    ],
    [
      'its own URL beside a listed audience',
      { pod: { 'public-url': OWN, 'oidc-audience': `${OWN},api` } },
      [
        [TOOLS, [OWN]],
        [AUTH0, [OWN, 'api']],
      ],
    ],
    [
      'what the cluster has chosen',
      {
        config: configWith(LISTS, `{ oidc-issuers: '${TOOLS}', oidc-audience: shared }`),
      },
      [[TOOLS, ['shared']]],
    ],
    [
      'what the namespace has chosen, narrowed by the pod',
      { namespace: { 'oidc-audience': 'shared,batch' }, pod: { 'oidc-audience': 'batch' } },
      [[TOOLS, ['batch']]],
    ],
    ['nobody where everybody is let in', { pod: { auth: 'none' } }, []],
  ])('%s', (_name, one, expected) => {
    expect(believed(one)).toEqual(expected)
  })

  test('the hosts of a chosen issuer go with it', () => {
    const outcome = rendered({ pod: { 'public-url': OWN, 'oidc-issuers': TOOLS } })
    const pod = outcome.kind === 'inject' ? outcome.pod : {}
    expect(documentOf(ownSidecar(pod))?.issuers).toEqual([
      { url: TOOLS, hosts: [{ host: 'keys.example.com', reach: 'public' }] },
    ])
  })

  test.each([
    ['goes along with credentials', { 'introspection-secret': 'client' }, `${TOOLS}/introspect`],
    ['stays where there are none', {}, undefined],
  ])('where an issuer is asked about tokens %s', (_name, more, expected) => {
    const pod = { 'public-url': OWN, 'oidc-issuers': TOOLS, ...more }
    const outcome = rendered({ config: configWith(ASKED), pod })
    const after = outcome.kind === 'inject' ? outcome.pod : {}
    const [issuer] = documentOf(ownSidecar(after))?.issuers ?? []
    expect([issuer?.url, issuer?.introspectionUrl]).toEqual([TOOLS, expected])
  })

  test('of two that could be asked about tokens the one that is named first is, and both are believed', () => {
    const pod = {
      'public-url': OWN,
      'oidc-issuers': `${AUTH0},${TOOLS}`,
      'introspection-secret': 'client',
    }
    const outcome = rendered({ config: configWith(ASKED), pod })
    const after = outcome.kind === 'inject' ? outcome.pod : {}
    const issuers = documentOf(ownSidecar(after))?.issuers ?? []
    expect(issuers.map(({ url, introspectionUrl }) => [url, introspectionUrl])).toEqual([
      [AUTH0, `${AUTH0}introspect`],
      [TOOLS, undefined],
    ])
  })

  test.each([
    ['go along with the URL that proofs name', { 'public-url': OWN }, 'accepted'],
    ['stay where there is none', {}, undefined],
  ])('proofs %s', (_name, more, expected) => {
    const config = configWith(`
  issuers: [{ url: '${TOOLS}', audiences: [shared], dpop: accepted }]
  publicUrls: { '*': ['https://mcp.example.com/{namespace}/*'] }`)
    const outcome = rendered({ config, pod: { 'oidc-audience': 'shared', ...more } })
    const after = outcome.kind === 'inject' ? outcome.pod : {}
    const [issuer] = documentOf(ownSidecar(after))?.issuers ?? []
    expect([issuer?.url, issuer?.dpop]).toEqual([TOOLS, expected])
  })

  test('what `issuers` says stands nowhere else in the document', () => {
    const outcome = rendered({ pod: { 'oidc-issuers': TOOLS, 'oidc-audience': 'batch' } })
    const pod = outcome.kind === 'inject' ? outcome.pod : {}
    expect(objectAt(pod, 'metadata', 'annotations')).toHaveProperty(['outrigger.dev/oidc-issuers'])
    expect(documentOf(ownSidecar(pod))?.settings).not.toHaveProperty('oidc-issuers')
    expect(documentOf(ownSidecar(pod))?.settings).not.toHaveProperty('oidc-audience')
  })
})

const RECORD = JSON.stringify({ version: 1, copied: { 'oidc-issuers': EVIL } })

describe('who writes a pod cannot bring', () => {
  test.each<readonly [string, Case, string, string]>([
    ['an issuer', { pod: { 'public-url': OWN, 'oidc-issuers': EVIL } }, 'not-listed', EVIL],
    [
      'an issuer beside a listed one',
      { pod: { 'public-url': OWN, 'oidc-issuers': `${TOOLS},${EVIL}` } },
      'not-listed',
      EVIL,
    ],
    [
      'an issuer that only begins like a listed one',
      { pod: { 'public-url': OWN, 'oidc-issuers': `${TOOLS}-evil` } },
      'not-listed',
      `did you mean \`${TOOLS}\``,
    ],
    [
      'an issuer in another spelling',
      { pod: { 'public-url': OWN, 'oidc-issuers': 'https://TENANT.auth0.com' } },
      'not-listed',
      `did you mean \`${AUTH0}\``,
    ],
    [
      'a listed issuer twice',
      { pod: { 'public-url': OWN, 'oidc-issuers': `${TOOLS},${TOOLS}` } },
      'bad-value',
      'no item twice',
    ],
    ['an issuer by the namespace', { namespace: { 'oidc-issuers': EVIL } }, 'not-listed', EVIL],
    [
      'an issuer that its namespace does not choose',
      { namespace: { 'oidc-issuers': TOOLS }, pod: { 'oidc-issuers': AUTH0 } },
      'loosened',
      AUTH0,
    ],
    [
      'an issuer by a forged record of its workload',
      { pod: { 'public-url': OWN, 'oidc-issuers': EVIL, workload: RECORD } },
      'not-listed',
      EVIL,
    ],
    ['an audience', { pod: { 'oidc-audience': 'other' } }, 'not-listed', '`other`'],
    [
      'credentials for an issuer that is asked about no token',
      { pod: { 'public-url': OWN, 'introspection-secret': 'client' } },
      'not-listed',
      'none of the chosen issuers is listed with an introspectionUrl',
    ],
    [
      'one secret for two issuers',
      {
        config: configWith(ASKED),
        pod: { 'public-url': OWN, 'introspection-secret': 'client' },
      },
      'not-listed',
      'name in outrigger.dev/oidc-issuers those that you want, first the one to ask',
    ],
    [
      'a server without a URL of its own, where proofs name it',
      {
        config: configWith(`
  issuers: [{ url: '${TOOLS}', audiences: [shared], dpop: required }]`),
        pod: { 'oidc-audience': 'shared' },
      },
      'incomplete',
      'proofs (DPoP), which name this server',
    ],
    [
      'an audience of another issuer',
      { pod: { 'oidc-issuers': TOOLS, 'oidc-audience': 'api' } },
      'not-listed',
      '`api`',
    ],
    [
      'an issuer for whom none of the audiences is listed',
      { pod: { 'oidc-issuers': `${TOOLS},${AUTH0}`, 'oidc-audience': 'batch' } },
      'not-listed',
      AUTH0,
    ],
    [
      'another server’s URL as an audience',
      { pod: { 'public-url': OWN, 'oidc-audience': 'https://mcp.example.com/team-b/mail' } },
      'not-listed',
      'team-b/mail',
    ],
    [
      'another server’s URL as its own',
      { pod: { 'public-url': 'https://mcp.example.com/team-b/mail' } },
      'not-listed',
      'in namespace team-a',
    ],
    [
      'another server’s URL as its own, beside a listed audience',
      { pod: { 'public-url': 'https://mcp.example.com/team-b/mail', 'oidc-audience': 'shared' } },
      'not-listed',
      'floor.publicUrls',
    ],
    [
      'another server’s URL by both',
      {
        pod: {
          'public-url': 'https://mcp.example.com/team-b/mail',
          'oidc-audience': 'https://mcp.example.com/team-b/mail',
        },
      },
      'not-listed',
      'floor.publicUrls',
    ],
    [
      'a URL by its namespace',
      { namespace: { 'public-url': OWN } },
      'wrong-scope',
      'workload, pod',
    ],
    [
      'nothing at all to be called by',
      { pod: {} },
      'incomplete',
      'outrigger.dev/public-url is missing',
    ],
    [
      'more audiences than a sidecar reads',
      {
        config: configWith(
          `\n  issuers: ${JSON.stringify([TOOLS, AUTH0].map((url, n) => ({ url, audiences: Array.from({ length: 64 }, (_one, index) => `a${n}-${index}`) })))}`,
        ),
        pod: {
          'oidc-audience': Array.from({ length: 65 }, (_one, index) =>
            index < 64 ? `a0-${index}` : 'a1-0',
          ).join(),
        },
      },
      'bad-value',
      'at most 64',
    ],
  ])('%s', (_name, one, code, says) => {
    const found = denials(one)
    expect(found.map(([each]) => each)).toContain(code)
    expect(found.map(([, message]) => message).join('\n')).toContain(says)
  })

  test.each<readonly [string, Case]>([
    [
      'by a label',
      { pod: { 'public-url': OWN }, labels: { 'oidc-issuers': 'evil', 'oidc-audience': 'other' } },
    ],
    ['by a record of a key that stands nowhere', { pod: { 'public-url': OWN, workload: RECORD } }],
    ['by the status', { pod: { 'public-url': OWN, status: JSON.stringify({ issuers: [EVIL] }) } }],
    [
      'by a sidecar of its own',
      {
        pod: { 'public-url': OWN },
        spec: {
          initContainers: [
            {
              name: 'outrigger-sidecar',
              image: 'evil',
              env: [
                { name: 'OUTRIGGER_CONFIG', value: JSON.stringify({ issuers: [{ url: EVIL }] }) },
                { name: 'OUTRIGGER_CONFIG', value: JSON.stringify({ issuers: [{ url: EVIL }] }) },
                { name: 'NODE_EXTRA_CA_CERTS', value: '/evil' },
              ],
              envFrom: [{ configMapRef: { name: 'evil' } }],
            },
          ],
        },
      },
    ],
    [
      'by the server’s environment',
      {
        pod: { 'public-url': OWN },
        spec: {
          containers: [
            {
              name: 'c',
              image: 'i',
              command: ['x'],
              env: [
                { name: 'OUTRIGGER_CONFIG', value: JSON.stringify({ issuers: [{ url: EVIL }] }) },
              ],
            },
          ],
        },
      },
    ],
  ])('anything %s', (_name, one) => {
    expect(believed(one)).toEqual([
      [TOOLS, undefined],
      [AUTH0, undefined],
    ])
    const outcome = rendered(one)
    const sidecar = outcome.kind === 'inject' ? ownSidecar(outcome.pod) : undefined
    expect(JSON.stringify(sidecar)).not.toContain('evil')
  })

  test('everything that is wrong is told at once, a few of many', () => {
    const many = Array.from({ length: 200 }, (_one, index) => `https://i${index}.example`)
    const found = denials({
      pod: { 'oidc-issuers': many.join(), 'oidc-audience': 'other', 'public-url': 'http://x' },
    })
    expect(found.map(([code]) => code)).toEqual(['not-listed', 'not-listed', 'not-listed'])
    expect(found[0]?.[1]).toContain('and 197 more are not listed')
    expect(found.every(([, message]) => message.length < 1000)).toBe(true)
  })
})

describe('where nothing is listed', () => {
  test('nobody can be verified, and the words name what to add', () => {
    const [[code, message] = []] = denials({ pod: { 'public-url': OWN }, config: configWith('') })
    expect(code).toBe('not-listed')
    expect(message).toContain('floor.issuers')
    expect(message?.length).toBeLessThan(256)
  })

  test('who lets everybody in needs no list for its URL', () => {
    const one = { pod: { auth: 'none', 'public-url': OWN }, config: configWith('') }
    expect(denials(one)).toEqual([])
  })
})

test('clients that cannot find the issuer by themselves are told of', () => {
  const { warnings } = rendered({ pod: { 'oidc-audience': 'batch' } })
  const found = warnings.filter((warning) => warning.includes('public-url is missing'))
  expect(found).toHaveLength(1)
  expect(found[0]?.length).toBeLessThanOrEqual(256)
})

describe('where nobody is listed who could be verified', () => {
  const BARE = configWith('')
  const OPEN = configWith('', '{ auth: none }')
  const OTHERWISE = /floor\.issuers, or set outrigger\.dev\/auth: none/
  const FIXED = /floor\.issuers \(.* fixes oidc\)$/

  test.each<readonly [string, Case, RegExp]>([
    ['nobody has said so', {}, OTHERWISE],
    ['the pod says so', { pod: { auth: 'oidc' } }, OTHERWISE],
    ['it says more than the cluster', { pod: { auth: 'oidc' }, config: OPEN }, OTHERWISE],
    ['its namespace does', { namespace: { auth: 'oidc' } }, FIXED],
    [
      'its namespace says more than the cluster',
      { namespace: { auth: 'oidc' }, config: OPEN },
      FIXED,
    ],
    ['both do', { namespace: { auth: 'oidc' }, pod: { auth: 'oidc' } }, FIXED],
    ['the pod would loosen it', { namespace: { auth: 'oidc' }, pod: { auth: 'none' } }, FIXED],
  ])('a pod is told to go without only where that is its own to say: %s', (_name, one, says) => {
    const told = denials({ config: BARE, ...one }).map(([, message]) => message)
    expect(told.filter((message) => message.includes('lists no issuer'))).toEqual([
      expect.stringMatching(says),
    ])
  })
})
