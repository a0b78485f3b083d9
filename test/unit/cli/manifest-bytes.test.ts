import { describe, expect, test } from '@jest/globals'
import { injectManifest } from '../../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../../cli/manifest/manifest.ts'
import { uninjectManifest } from '../../../cli/manifest/uninject.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'sidecar:1' },
  settings: { 'egress-mode': 'observe' },
  floor: { allowAnonymous: true },
})
const options: ManifestOptions = {
  file: 'app.yaml',
  config,
  isDefaultConfig: false,
  namespace: 'default',
  namespaces: [],
}

const deployment = (
  container: string,
  spec = '',
  before = '',
): string => `${before}apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
spec:
  template:
    metadata:
      annotations:
        outrigger.dev/inject: 'true'
        outrigger.dev/auth: none
        outrigger.dev/transport: stdio
    spec:
${spec}      containers:
        - name: a
${container}`

/** Annotated itself; its template has this metadata. */
const workload = (metadata: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: a
  annotations: { outrigger.dev/inject: 'true', outrigger.dev/auth: none, outrigger.dev/tls-secret: a }
spec:
  template:
    metadata: ${metadata}
    spec:
      initContainers: []
      containers:
        - name: a
          image: a:1
          command: [a]
          ports: [{ containerPort: 443, name: https }]
`

const PLAIN = '          image: a:1\n          command: [a]\n'

const json = (indent: string): string =>
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' },
      },
      spec: { containers: [{ name: 's', command: ['x', 'y'], tty: false }] },
    },
    null,
    indent,
  )

describe('uninject after inject gives the same bytes', () => {
  test.each<[string, string]>([
    [
      'a list in brackets over lines',
      deployment(
        '          command:\n            [\n              "a",\n              "b",\n            ]\n',
      ),
    ],
    [
      'an empty list that injection has no use for',
      workload('{}').replace('[a]', '[a]\n          volumeDevices: []\n          lifecycle: {}'),
    ],
    ['a template whose metadata is null', workload('null')],
    ['a template whose metadata is empty', workload('{}')],
    [
      'a folded line',
      deployment(
        '          command:\n            - sh\n            - -c\n            - >-\n              a\n              --b\n',
      ),
    ],
    [
      'empty maps',
      deployment(
        `${PLAIN}          securityContext:\n            {}\n`,
        '      securityContext: {}\n',
      ),
    ],
    ['values left out', deployment(PLAIN, '      securityContext:\n      volumes: # none yet\n')],
    ['no end of the last line', deployment(PLAIN).trimEnd()],
    [
      'a block scalar at the end',
      deployment('          command:\n            - sh\n            - |\n              a\n'),
    ],
    [
      'a block scalar at the end, without an end of its line',
      deployment('          command: [a]\n          workingDir: |\n            /a').trimEnd(),
    ],
    [
      'lines of space',
      deployment(
        '          image: a:1\n          command:\n          - a\n          env:\n            \n            - name: A\n              value: b\n',
      ),
    ],
    ['Windows line ends', deployment(PLAIN).replaceAll('\n', '\r\n')],
    [
      'what is taken off, in its place and with its comments',
      deployment(
        '          stdin: true # asked for\n          # why\n          tty: true\n          image: a:1\n          livenessProbe:\n            exec: # how\n\n              command: [a]\n            periodSeconds: 10\n          command: [a]\n',
      ),
    ],
    [
      'what is taken off first',
      deployment(PLAIN).replace(
        '- name: a\n          image',
        '- stdin: yes\n          name: a\n          image',
      ),
    ],
    [
      'an octal number',
      deployment(
        PLAIN,
        '      volumes:\n        - name: k\n          secret: { secretName: k, defaultMode: 0400 }\n',
      ),
    ],
    [
      'numbers that JavaScript has not',
      deployment(PLAIN, '      terminationGracePeriodSeconds: 9007199254740993\n      x: 1E400\n'),
    ],
    [
      'a container in braces',
      deployment('').replace(
        '- name: a\n',
        '- { name: a, stdin: true, image: "a:1", command: [a] } # all\n',
      ),
    ],
    [
      'a template in braces',
      deployment(PLAIN).replace(
        /metadata:\n {6}annotations:\n(?:.*\n){3}/,
        'metadata: { annotations: { outrigger.dev/inject: "true", outrigger.dev/auth: none } }\n',
      ),
    ],
    [
      'an anchor whose value changes',
      deployment(
        `          command: &c [a]\n          args: *c\n          securityContext: &s {}\n          resources: *s\n`,
      ),
    ],
    ['an alias for the command', deployment(`          command: *c\n`, '', 'x: &c [a, b]\n')],
    [
      'a merge',
      deployment(
        `          <<: *base\n          image: a:1\n`,
        '',
        'x: &base { stdin: true, command: [a] }\n',
      ),
    ],
    [
      'a merge behind what is changed',
      deployment(`          image: a:1\n          <<: *base\n`, '', 'x: &base\n  command: [a]\n'),
    ],
    [
      'an alias for a container',
      deployment('')
        .replace('- name: a\n', '- *base\n')
        .replace('apiVersion', 'x: &base\n  name: a\n  stdin: true\n  command: [a]\napiVersion'),
    ],
    [
      'lists below their key',
      deployment(PLAIN)
        .replaceAll('\n        - ', '\n      - ')
        .replaceAll('\n          ', '\n        '),
    ],
    [
      'wide indentation',
      deployment(PLAIN).replace(
        '- name: a\n          image: a:1\n          command',
        '-   name: a\n            image: a:1\n            command',
      ),
    ],
    ['arguments that are left out', deployment(`${PLAIN}          args:\n`)],
    [
      'empty values in a map that is filled',
      deployment(
        `${PLAIN}          securityContext:\n            # none\n            capabilities: {}\n`,
      ),
    ],
    [
      'a merge of what is empty',
      deployment(
        '          <<: *base\n',
        '',
        'x: &base\n  command: [a]\n  securityContext: { capabilities: }\n  volumeMounts:\n  resources: {}\n',
      ),
    ],
    [
      'null in braces that are written anew',
      deployment(PLAIN).replace(
        /metadata:\n {6}annotations:\n(?:.*\n){3}/,
        'metadata: { labels: ~, annotations: { outrigger.dev/inject: "true", outrigger.dev/auth: none } }\n',
      ),
    ],
    ['JSON on one line', json('')],
    ['JSON on lines', `${json('  ')}\n`],
    ['JSON in tabs', json('\t')],
    ['JSON objects one after another', `${json('')}${json('  ')}\n${json('')}`],
    ['a mark comment of the author', deployment(`${PLAIN}          #outrigger: nothing of ours\n`)],
    ['a comment behind everything', `${deployment(PLAIN)}# the end\n---\n# more\n`],
  ])('%s', (_name, text) => {
    const there = injectManifest(text, options)
    expect(there.exitCode).toBe(0)
    expect(there.stdout).toContain('outrigger-sidecar')
    expect(injectManifest(there.stdout, options).stdout).toBe(there.stdout)
    expect(uninjectManifest(there.stdout, options)).toMatchObject({
      stdout: text,
      stderr: '',
      exitCode: 0,
    })
  })
})

describe('where a byte cannot be kept', () => {
  const taken = json('  ').replace('"tty": false', '"tty": true')

  test('inject says which lines uninject will write anew', () => {
    expect(injectManifest(taken, options).stderr).toMatch(
      /app\.yaml: document 1: warning: line 19: what injection takes off/,
    )
  })

  test('uninject says which lines it wrote anew', () => {
    const { stdout, stderr } = uninjectManifest(injectManifest(taken, options).stdout, options)
    expect(JSON.parse(stdout)).toEqual(JSON.parse(taken))
    expect(stderr).toMatch(
      /^app\.yaml: document 1: warning: lines? [\d, -]+: written from outrigger\.dev\/status/,
    )
  })
})

test('a document whose form leaves no room is written anew, with a warning', () => {
  const text = deployment(
    '          command: [b]\n          <<: *base\n',
    '',
    'x: &base { command: [a] }\n',
  )
  const { stdout, stderr } = injectManifest(text, options)
  expect(stderr).toContain('app.yaml: document 1: warning: it is written anew')
  expect(stdout).toMatch(/'--'\n +- a\n/)
  expect(injectManifest(stdout, options)).toMatchObject({ stdout, stderr: '', exitCode: 0 })
})

test('a line’s end that only some readers know is refused where the document has to change', () => {
  const text = deployment(PLAIN).replace('image: a:1', 'image: a:1\u2028          workingDir: /b')
  const { stdout, stderr, exitCode } = injectManifest(text, options)
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
  expect(stderr).toContain(
    'app.yaml: document 1: line 15: the character U+2028 ends a line for kubectl',
  )
})

test('what YAML 1.1 reads as another type is quoted in what Outrigger writes', () => {
  const words = [
    'no',
    'y',
    'on',
    '1_000',
    '0b11',
    '0400',
    '0o17',
    '1e3',
    '1:30',
    '~',
    'null',
    '=',
    '<<',
    '.inf',
    '2001-01-01',
    '-',
    '--',
    '',
  ]
  const text = deployment('          image: a:1\n').replace(
    'none\n',
    `none\n        outrigger.dev/command: '${JSON.stringify(words.slice(0, -1).concat('x'))}'\n`,
  )
  const { stdout } = injectManifest(text, options)
  const command = /command:\n((?: +- .*\n)+)/.exec(stdout)?.[1] ?? ''
  for (const word of words.slice(0, -1)) expect(command).toContain(`- '${word}'\n`)
})
