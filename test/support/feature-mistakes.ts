// Mistakes with identity, tool policies, tool locks, the floor, records and TLS. What they are told stands in
// test/golden/mistakes.txt.

import { issue } from './certificates.ts'
import { typed, type Mistake } from './mistakes.ts'

type Files = NonNullable<Mistake['files']>

const ISSUER = 'https://login.example.com/realms/tools'
const FLOOR = `floor:\n  issuers:\n    - url: ${ISSUER}\n  publicUrls:\n    '*': ['https://mcp.example.com/{namespace}/{name}']\n`
const WHOLE = `sidecar: { image: outrigger-sidecar:0.1.0 }\n${FLOOR}`

const POLICY = `version: 1
roles:
  reader:
    who: { groups: [staff] }
    tools: [search]
rules: []
`
const LOCK = 'version: 1\ntools:\n  echo: { description: sha256-0 }\n'
const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ')
const configMap = (key: string, text: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: one }\ndata:\n  ${key}: |\n${indented(text)}`

/** A command of `outrigger run` that nobody reaches. */
const run = (name: string, line: string, files: Files = {}): Mistake =>
  typed(name, `run --port 0 ${line} -- cat`, files)

const policy = (name: string, text: string | undefined, line = 'lint'): Mistake =>
  typed(name, `policy ${line} -f DIR/p.yaml`, { 'p.yaml': text })

/** A pod with annotations under a cluster configuration. */
const pod = (
  name: string,
  annotations: Readonly<Record<string, string>>,
  config = WHOLE,
): Mistake => ({
  name,
  args: ['inject', '-f', 'DIR/in.yaml', '--config', 'DIR/config.yaml', '-n', 'team-a'],
  files: {
    'config.yaml': config,
    'in.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'search',
        annotations: Object.fromEntries(
          Object.entries({ inject: 'true', ...annotations }).map(([key, value]) => [
            `outrigger.dev/${key}`,
            value,
          ]),
        ),
      },
      spec: {
        securityContext: { runAsUser: 1000, runAsGroup: 1000 },
        containers: [{ name: 'c', image: 'i', command: ['c'] }],
      },
    }),
  },
})

const floor = (name: string, text: string): Mistake =>
  pod(
    `a floor with ${name}`,
    {},
    `sidecar: { image: x }\nfloor:\n${text.replaceAll(/^/gm, '  ')}\n`,
  )

const URL_OF_POD = { 'public-url': 'https://mcp.example.com/team-a/search' }

const TLS_PAIR = '--tls-cert DIR/c.pem --tls-key DIR/k.pem'

const tls = (
  name: string,
  { cert, key }: { readonly cert: string; readonly key: string },
): Mistake =>
  run(`a certificate ${name}`, `${TLS_PAIR} --allow-anonymous`, {
    'c.pem': cert,
    'k.pem': key,
  })

const first = issue({ commonName: 'first', names: ['first.example'] })
const other = issue({ commonName: 'other', isAuthority: true })

export const FEATURE_MISTAKES: readonly Mistake[] = [
  run('nobody to trust', ''),
  run('an issuer in clear', '--oidc-issuers http://login.example.com'),
  run('an issuer that is no URL', '--oidc-issuers login.example.com'),
  run('anybody, and an issuer', `--allow-anonymous --oidc-issuers ${ISSUER}`),
  run('authorities that are none', `--oidc-issuers ${ISSUER} --oidc-ca DIR/ca.pem`, {
    'ca.pem': 'no certificate',
  }),
  run('authorities without an issuer', '--allow-anonymous --oidc-ca DIR/ca.pem', { 'ca.pem': '' }),
  run(
    'introspection without credentials',
    `--oidc-issuers ${ISSUER} --introspection-url ${ISSUER}/introspect`,
  ),
  run(
    'introspection with credentials that are not there',
    `--oidc-issuers ${ISSUER} --introspection-url ${ISSUER}/introspect --introspection-credentials DIR/none`,
  ),
  run('the snippet of a cluster configuration for a run', '--allow-anonymous --config DIR/c.yaml', {
    'c.yaml': FLOOR,
  }),
  pod('the snippet of a cluster configuration alone', URL_OF_POD, FLOOR),
  pod('a pod without the URL by which it is known', {}),
  pod('a URL that is not the pod’s to choose', {
    'public-url': 'https://mcp.example.com/team-b/search',
  }),
  pod('an issuer that the floor does not list', {
    ...URL_OF_POD,
    'oidc-issuers': 'https://login.example.com/realms/tols',
  }),
  pod('an audience that the floor does not list', { ...URL_OF_POD, 'oidc-audience': 'api' }),
  pod('nobody verified where the floor wants it', { auth: 'none' }),
  pod('introspection at an issuer without it', { ...URL_OF_POD, 'introspection-secret': 'one' }),
  pod('scopes with a blank', { ...URL_OF_POD, 'required-scopes': 'mcp call' }),
  pod('a rate without its time', { ...URL_OF_POD, 'rate-limit': '300' }),
  pod('a limit of a tool misspelt', { ...URL_OF_POD, 'tool-limits': 'export=5/min' }),
  pod('a breaker without a pause', { ...URL_OF_POD, 'circuit-breaker': '5' }),
  pod('a policy by a name that no ConfigMap has', {
    ...URL_OF_POD,
    'tool-policy': 'Search_Policy',
  }),
  pod('a check of arguments, perhaps', { ...URL_OF_POD, 'validate-arguments': 'yes' }),
  pod('a certificate by its file', { ...URL_OF_POD, 'tls-secret': '/etc/tls.crt' }),
  pod(
    'a cluster’s settings by the names of annotations',
    {},
    'sidecar: { image: x }\nsettings: { outrigger.dev/auth: none }\n',
  ),
  pod(
    'companions whose names are answered by nobody',
    {},
    'sidecar: { image: x }\ncompanions: { dns: [kube-dns.kube-system, 10.96.0.10:53, "*"] }\n',
  ),
  floor('a member misspelt', 'isuers: []'),
  floor('an issuer in clear', 'issuers: [{ url: http://login.example.com }]'),
  floor('an issuer twice', `issuers: [{ url: ${ISSUER} }, { url: ${ISSUER} }]`),
  floor('a public URL for everybody', "publicUrls: { '*': ['https://mcp.example.com/'] }"),
  floor('a base policy of another version', 'basePolicy: { version: 2 }'),
  floor(
    'a base policy with a condition misspelt',
    "basePolicy:\n  version: 1\n  rules: [{ name: a, effect: allow, tools: [x], when: 'argument.n > 1' }]",
  ),
  typed('a policy without a verb', 'policy -f x'),
  typed('a policy with a verb misspelt', 'policy tset -f x'),
  typed('a policy that is not there', 'policy lint -f DIR/none'),
  policy('a policy that is a directory', undefined),
  policy('an empty policy', ''),
  policy('a policy of another version', 'version: 2\n'),
  policy(
    'a policy with members misspelt',
    'version: 1\nrole: {}\nrules:\n  - { name: a, efect: allow, tools: x }\n',
  ),
  policy(
    'a policy with a role that is not there',
    'version: 1\nrules: [{ name: a, effect: allow, tools: [x], who: { roles: [raeder] } }]\n',
  ),
  policy(
    'a policy with a condition cut short',
    "version: 1\nrules: [{ name: a, effect: allow, tools: [x], when: 'arguments.n >' }]\n",
  ),
  policy(
    'a policy with one name twice',
    'version: 1\nrules:\n  - { name: a, effect: allow, tools: [x] }\n  - { name: a, effect: deny, tools: [y] }\n',
  ),
  policy(
    'a policy in a ConfigMap with a fault',
    configMap('policy.yaml', POLICY.replace('who', 'woh')),
  ),
  policy('a ConfigMap without a policy', 'kind: ConfigMap\ndata: { a: x, b: y }\n'),
  policy('a Secret for a policy', 'kind: Secret\nstringData: { policy.yaml: "" }\n'),
  policy('arguments cut short', POLICY, 'test --call search --args {"a"'),
  policy('claims that are no claims', POLICY, 'test --call search --as ada'),
  policy('nothing called', POLICY, 'test'),
  policy('a kind misspelt', POLICY, 'test --call search --kind tol'),
  policy('a caller of whom nobody asks', POLICY, 'who-can search --as {"iss":"i","sub":"s"}'),
  policy('a call for a look at a policy', POLICY, 'lint --call search --args {}'),
  typed(
    'a base policy in a configuration without one',
    'policy lint -f DIR/p.yaml --base DIR/c.yaml',
    {
      'p.yaml': POLICY,
      'c.yaml': WHOLE,
    },
  ),
  run('a policy in a ConfigMap for a run', '--allow-anonymous --tool-policy DIR/p.yaml', {
    'p.yaml': configMap('policy.yaml', POLICY),
  }),
  typed('tools with a verb misspelt', 'tools lok -- cat'),
  typed('a lock for nothing', 'tools lock'),
  typed('a lock of a server that is silent', 'tools lock --startup-timeout 1s -- sleep 600'),
  typed('a file for a new lock', 'tools lock -f DIR/lock.yaml -- cat'),
  typed('a mode for a lock that is there', 'tools verify -f DIR/lock.yaml --mode report -- cat', {
    'lock.yaml': LOCK,
  }),
  typed('a lock that is not there', 'tools verify -f DIR/none -- cat'),
  typed('a lock with a digest cut short', 'tools verify -f DIR/lock.yaml -- cat', {
    'lock.yaml': LOCK,
  }),
  typed('a lock in a ConfigMap with a fault', 'tools verify -f DIR/lock.yaml -- cat', {
    'lock.yaml': configMap('lock.yaml', LOCK),
  }),
  typed('a policy for a lock', 'tools verify -f DIR/lock.yaml -- cat', { 'lock.yaml': POLICY }),
  typed('a server by half a URL', 'tools lock --url localhost:15200'),
  typed('a server that does not answer', 'tools lock --url http://127.0.0.1:15297/mcp'),
  run('a lock for a run that is not there', '--allow-anonymous --tool-lock DIR/none'),
  run('a lock in a ConfigMap for a run', '--allow-anonymous --tool-lock DIR/lock.yaml', {
    'lock.yaml': configMap('lock.yaml', 'version: 1\n'),
  }),
  run('a check of arguments without a value', '--allow-anonymous --validate-arguments'),
  run('a certificate without a key', '--allow-anonymous --tls-cert DIR/c.pem'),
  run('a folder for the key of a certificate', `${TLS_PAIR} --allow-anonymous`, {
    'c.pem': first.cert,
    'k.pem': undefined,
  }),
  tls('that is none', { cert: 'x', key: first.key }),
  tls('with the key of another', { cert: first.cert, key: other.key }),
  tls('in the place of its key', { cert: first.cert, key: first.cert }),
  typed('records without a verb', 'audit'),
  typed('records that are not there', 'audit verify DIR/none'),
  typed('a key without checkpoints', 'audit verify DIR/a --key DIR/k', { a: '', k: '' }),
]
