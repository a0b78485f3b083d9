import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import { explainManifest } from '../../../cli/manifest/explain.ts'
import { injectManifest } from '../../../cli/manifest/inject.ts'
import type { ManifestOptions } from '../../../cli/manifest/manifest.ts'
import { uninjectManifest } from '../../../cli/manifest/uninject.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const optionsWith = (floor: object, more: Partial<ManifestOptions> = {}): ManifestOptions => {
  const config = clusterConfig({ sidecar: { image: 'sidecar:1' }, floor })
  return {
    file: 'app.yaml',
    config,
    isDefaultConfig: false,
    namespace: 'default',
    namespaces: [],
    ...more,
  }
}
const options = optionsWith({ allowAnonymous: true, egressMode: 'observe' })

const ANNOTATIONS = `annotations: { outrigger.dev/inject: 'true', outrigger.dev/auth: none }`
const POD = `apiVersion: v1
kind: Pod
metadata:
  name: echo # a name
  ${ANNOTATIONS}
spec:
  # Before the containers.
  containers:
  - name: server   # spaced   oddly
    image:   "echo:1"
    command: [ echo-server ,  "--verbose" ] # the line
    # the end
`
const HTTP_POD = `${POD.trimEnd()}\n    ports: [{ containerPort: 8000 }]\n`
const OTHER = `# A service of ours.
kind:    Service
apiVersion: v1
metadata: {name: x,   labels: {a: "b"}}

`

const values = (text: string): unknown => parseAllDocuments(text).map((doc): unknown => doc.toJS())

describe('what is not ours passes byte for byte', () => {
  test.each([
    ['nothing', ''],
    ['comments alone', '# a\n\n---\n# b\n'],
    ['another kind', OTHER],
    ['several kinds', `${OTHER}---\n${OTHER}--- # marked\n${OTHER}...\n`],
    ['CRLF', OTHER.replaceAll('\n', '\r\n')],
    ['no newline at the end', OTHER.trimEnd()],
    ['a pod that does not opt in', POD.replace("'true'", "'false'")],
    [
      'a custom kind with a template',
      POD.replace('v1\nkind: Pod', 'argoproj.io/v1alpha1\nkind: Rollout'),
    ],
    ['a kind of another group', POD.replace('v1\nkind: Pod', 'batch.example/v1\nkind: Job')],
    ['a block scalar with markers in it', 'data: |\n  ---\n  a: b\n  ...\n'],
    ['JSON', '{ "kind":"ConfigMap",   "apiVersion":"v1" }\n'],
    ['a list that is no object', '- a\n- b\n'],
  ])('%s', (_name, text) => {
    expect(injectManifest(text, options)).toMatchObject({ stdout: text, exitCode: 0 })
    expect(uninjectManifest(text, options)).toMatchObject({ stdout: text, exitCode: 0 })
  })

  test('the documents around one that is injected', () => {
    const text = `${OTHER}---\n${POD}---\n${OTHER}`
    const { stdout } = injectManifest(text, options)
    expect(stdout.startsWith(`${OTHER}---\n`)).toBe(true)
    expect(stdout.endsWith(`---\n${OTHER}`)).toBe(true)
  })
})

describe('a document that is injected', () => {
  test('keeps its comments, its quotes and the lines that did not change', () => {
    const { stdout } = injectManifest(POD, options)
    for (const line of POD.split('\n').filter((line) => !/command|annotations/.test(line))) {
      expect(stdout.split('\n')).toContain(line)
    }
    expect(stdout).toMatch(/command: .*echo-server.*"--verbose".* # the line/)
  })

  test('comes back byte for byte', () => {
    expect(uninjectManifest(injectManifest(POD, options).stdout, options).stdout).toBe(POD)
  })

  test.each([
    ['CRLF', POD.replaceAll('\n', '\r\n')],
    [
      'indented lists',
      POD.replaceAll('\n  - ', '\n    - ').replaceAll(/\n {4}(image|command|#)/g, '\n      $1'),
    ],
    ['a marker before it', `---\n${POD}`],
    ['a marker after it', `${POD}...\n`],
    [
      'flow style',
      `{apiVersion: v1, kind: Pod, metadata: {name: a, ${ANNOTATIONS}}, spec: {containers: [{name: s, command: [x]}]}}\n`,
    ],
    ['empty mappings', POD.replace('spec:\n', 'spec:\n  securityContext:\n  volumes:\n')],
  ])('with %s: means what it should, twice and back', (_name, text) => {
    const first = injectManifest(text, options)
    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toContain('outrigger-sidecar')
    expect(injectManifest(first.stdout, options).stdout).toBe(first.stdout)
    const back = uninjectManifest(first.stdout, options)
    expect(back).toMatchObject({ stdout: text, stderr: '', exitCode: 0 })
  })

  test('anchors and merge keys are written out where a change would show elsewhere', () => {
    const text = `apiVersion: v1
kind: Pod
metadata: { name: a, ${ANNOTATIONS.replace('}', ', outrigger.dev/container: server }')} }
spec:
  containers:
    - &base
      name: server
      image: echo:1
      command: [echo-server]
      securityContext: &tight { runAsUser: 10 }
    - <<: *base
      name: helper
      securityContext: *tight
`
    const { stdout, exitCode } = injectManifest(text, options)
    expect(exitCode).toBe(0)
    const pod: unknown = parse(stdout, { merge: true })
    const shim = ['/outrigger/bin/shim', 'serve', '--run', '/outrigger/run', '--grace', '27']
    const command = [...shim, '--max-processes', '32']
    expect(pod).toMatchObject({
      spec: {
        containers: [
          { name: 'server', command: [...command, '--', 'echo-server'] },
          { name: 'helper', image: 'echo:1', command: ['echo-server'] },
        ],
      },
    })
    expect(injectManifest(stdout, options).stdout).toBe(stdout)
  })

  test.each(['', '  ', '\t'])('JSON keeps its indentation: %j', (indent) => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'a',
        annotations: { 'outrigger.dev/inject': 'true', 'outrigger.dev/auth': 'none' },
      },
      spec: { containers: [{ name: 's', command: ['x'] }] },
    }
    const text = `${JSON.stringify(pod, null, indent)}\n`
    const { stdout } = injectManifest(text, options)
    expect(JSON.stringify(JSON.parse(stdout), null, indent)).toBe(stdout.trimEnd())
    expect(stdout.endsWith('\n')).toBe(true)
    expect(uninjectManifest(stdout, options).stdout).toBe(text)
  })
})

describe('namespaces', () => {
  const NAMESPACE = `apiVersion: v1
kind: Namespace
metadata:
  name: mcp
  labels: { outrigger.dev/injection: enabled }
  annotations: { outrigger.dev/auth: none }
`
  const plain = POD.replace(`  ${ANNOTATIONS}\n`, '')

  test('one in the manifest counts for what names it', () => {
    const named = plain.replace('metadata:\n', 'metadata:\n  namespace: mcp\n')
    expect(injectManifest(`${NAMESPACE}---\n${named}`, options).stdout).toContain(
      'outrigger-sidecar',
    )
    expect(injectManifest(`${NAMESPACE}---\n${plain}`, options).stdout).not.toContain(
      'outrigger-sidecar',
    )
  })

  test('the given one counts for what names none', () => {
    const inMcp = { ...options, namespace: 'mcp' }
    expect(injectManifest(`${NAMESPACE}---\n${plain}`, inMcp).stdout).toContain('outrigger-sidecar')
  })
})

describe('what goes wrong', () => {
  test('a denial prints every reason and nothing else', () => {
    const quiet = POD.replace('spec:\n', 'spec:\n  securityContext: { runAsUser: 7 }\n')
    const bad = quiet.replace('spec:\n', 'spec:\n  hostNetwork: true\n  hostPID: true\n')
    const { stdout, stderr, exitCode } = injectManifest(`${OTHER}---\n${bad}---\n${quiet}`, options)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    for (const line of lines)
      expect(line).toMatch(/^app\.yaml: document 2: Pod echo: denied: pod: host/)
  })

  test.each([
    ['what is not YAML', 'a: [b\n'],
    ['a key that stands twice', `${POD}kind: Pod\n`],
    ['a tab', 'a:\n\tb: c\n'],
  ])('%s is told by its document', (_name, text) => {
    const { stdout, stderr, exitCode } = injectManifest(`${OTHER}---\n${text}`, options)
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 })
    expect(stderr).toMatch(/^app\.yaml: document 2: /)
  })

  test('what is no YAML is told by its line in the file', () => {
    const { stderr } = injectManifest(`# 1\na: 1\n---\n# 4\nb: 1\nb: 2\n`, options)
    expect(stderr).toBe('app.yaml: document 2: line 6: the key "b" stands twice\n')
  })

  test('two documents without a line between them are told by what is missing', () => {
    const { stderr } = injectManifest(`${POD}${POD}`, options)
    expect(stderr).toMatch(/: the key "apiVersion" stands twice \(is --- missing before it\?\)\n$/)
  })

  test('strictness of the built-in configuration is said to be that', () => {
    const { stderr } = injectManifest(POD, optionsWith({}, { isDefaultConfig: true }))
    expect(stderr).toContain('allowAnonymous')
    expect(stderr).toContain('--config FILE')
  })

  test('uninject without a status takes out what goes by name, and says so', () => {
    const { stdout } = injectManifest(POD, options)
    const bare = stdout.replace(/, outrigger\.dev\/status: '[^']*'/, '')
    const back = uninjectManifest(bare, options)
    expect(back.stdout).not.toMatch(/outrigger-|\/outrigger\//)
    expect(back.stderr).toContain('outrigger.dev/status')
  })
})

describe('workload annotations', () => {
  const deployment = (own: string, template = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: { ${own} }
spec:
  template:
    metadata: { annotations: { ${template} } }
    spec:
      containers: [{ name: s, command: [x] }]
`
  const OWN = "outrigger.dev/inject: 'true', outrigger.dev/auth: none"

  test('are copied into the template, and go when they go', () => {
    const { stdout } = injectManifest(deployment(`${OWN}, outrigger.dev/log-level: debug`), options)
    expect(stdout.match(/outrigger\.dev\/log-level: debug/g)).toHaveLength(2)
    const without = stdout.replace(/, outrigger\.dev\/log-level: debug/, '')
    const again = injectManifest(without, options)
    expect(again.exitCode).toBe(0)
    expect(again.stdout).not.toContain('log-level')
  })

  test('the template’s own word is stronger and stays', () => {
    const text = deployment(
      `${OWN}, outrigger.dev/log-level: debug`,
      'outrigger.dev/log-level: warn',
    )
    const { stdout } = injectManifest(text, options)
    expect(stdout).toContain('"log-level":"warn"')
    expect(values(uninjectManifest(stdout, options).stdout)).toEqual(values(text))
  })

  test('are taken back from a manifest that the cluster has them copied into', () => {
    const record = JSON.stringify({ version: 1, copied: { inject: 'true' } })
    const text = deployment(
      OWN,
      `outrigger.dev/inject: 'true', outrigger.dev/workload: '${record}', team: blue`,
    )
    const { stdout, stderr } = uninjectManifest(text, options)
    expect(stderr).toBe('')
    expect(values(stdout)).toEqual(values(deployment(OWN, 'team: blue')))
  })

  test('with a mistyped key are told', () => {
    const { stderr } = injectManifest(deployment(`${OWN}, outrigger.dev/auht: none`), options)
    expect(stderr.split('\n')).toContain(
      'app.yaml: document 1: Deployment web: warning: Deployment web: outrigger.dev/auht is not an annotation of Outrigger; did you mean outrigger.dev/auth?',
    )
  })

  test('stand where they stand in what explain says', () => {
    const { stdout } = explainManifest(deployment(OWN, 'outrigger.dev/log-level: warn'), options)
    expect(stdout).toMatch(/^ +auth +none +Deployment web$/m)
    expect(stdout).toMatch(/^ +log-level +warn +pod$/m)
  })

  test('may be tightened by the template, not loosened', () => {
    const own = `${OWN}, outrigger.dev/process-model: session`
    const { stderr } = injectManifest(
      deployment(own, 'outrigger.dev/process-model: principal'),
      options,
    )
    expect(stderr).toContain('which Deployment web fixes')
  })
})

describe('explain', () => {
  test('says what holds, from where, and what would change', () => {
    const { stdout, exitCode } = explainManifest(POD, options)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^app\.yaml: document 1: Pod echo \(namespace default\): injected\n/)
    expect(stdout).toMatch(/^ +auth +none +pod$/m)
    expect(stdout).toMatch(/^ +transport +auto +default$/m)
    expect(stdout).toMatch(/^ +~ spec\.containers\[server\]\.command$/m)
    expect(stdout).toMatch(/^ +\+ spec\.initContainers/m)
  })

  test.each<[string, string, readonly string[]]>([
    ['a stdio server', POD, ['15200: the sidecar, by /mcp']],
    [
      'a server that is held on loopback',
      HTTP_POD,
      [
        '15200: the sidecar, by /mcp',
        "8000: the sidecar, by the server's own path; the server is held on loopback",
      ],
    ],
    [
      'a server whose command is unknown',
      HTTP_POD.replace(/^ +command: .*$/m, ''),
      ['15200: the sidecar, by /mcp', '8000: the server itself, around the sidecar'],
    ],
    [
      'a server behind a bridge',
      HTTP_POD.replace(/command: .*$/m, "command: [mcp-proxy, --port, '8000', --, echo]"),
      ['15200: the sidecar, by /mcp', '8000: the sidecar, by /mcp; in the place of a bridge'],
    ],
  ])('says by which ports callers reach %s', (_name, text, expected) => {
    const { stdout } = explainManifest(text, options)
    const [, lines = ''] = /callers reach the server\n((?: {4}.*\n)+)/.exec(stdout) ?? []
    expect(lines.trimEnd().split('\n')).toEqual(expected.map((line) => `    ${line}`))
  })

  test('says which ports of the server are carried', () => {
    const ports = '[{ name: http, containerPort: 8000 }, { name: metrics, containerPort: 9090 }]'
    const text = HTTP_POD.replace(/ports: .*$/m, `ports: ${ports}`)
    const allowing = optionsWith({ allowAnonymous: true, allowCarriedPorts: true })
    expect(explainManifest(text, allowing).stdout).toContain(
      '    9090: the server itself, by way of the sidecar, which reads nothing of it\n',
    )
  })

  test('a denial has its reasons beside it', () => {
    const { stdout, stderr, exitCode } = explainManifest(POD, optionsWith({}))
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/denied for 1 reason\n +denied: .*allowAnonymous/)
    expect(stderr).toBe('')
  })

  test('what is left alone says why', () => {
    expect(explainManifest(POD.replace("'true'", "'false'"), options).stdout).toContain(
      'left alone',
    )
    expect(explainManifest(OTHER, options).stdout).toContain('holds no pod')
  })
})

describe('an author’s own text where ours goes', () => {
  const withText = (key: string, text: string): string =>
    POD.replace(
      ANNOTATIONS,
      `annotations:\n    outrigger.dev/inject: 'true'\n    outrigger.dev/auth: none\n    ${key}: ${text} # mine`,
    )
  const STATUSES = [
    'mine',
    `'{"version":1}'`,
    `'{"version":1,"container":"x","transport":"http","was":{}}'`,
  ]

  test.each(STATUSES)('comes back from the place of the status: %s', (status) => {
    const text = withText('outrigger.dev/status', status)
    const { stdout } = injectManifest(text, options)
    expect(stdout).toContain('outrigger-sidecar')
    expect(injectManifest(stdout, options).stdout).toBe(stdout)
    expect(uninjectManifest(stdout, options).stdout).toBe(text)
  })

  test.each(['outrigger.dev/status', 'outrigger.dev/workload'])(
    'is left alone where nothing was injected: %s',
    (key) => {
      const text = withText(key, 'mine')
      expect(uninjectManifest(text, options)).toMatchObject({
        stdout: text,
        stderr: '',
        exitCode: 0,
      })
    },
  )

  test('stays where somebody has put it in the place of ours', () => {
    const { stdout } = injectManifest(POD, options)
    const overwritten = stdout.replace(/(outrigger.dev\/status: )'[^']*'/, '$1mine')
    expect(uninjectManifest(overwritten, options).stdout).toContain('outrigger.dev/status: mine')
  })
})

describe('Services of the same input', () => {
  const COMMAND = 'command: [ echo-server ,  "--verbose" ]'
  /** Only the image says what it runs: then nothing holds it on loopback. */
  const unheld = (text: string): string => text.replace(/^ +command: .*\n/m, '')
  const service = (metadata: string): string => `---
apiVersion: v1
kind: Service
metadata: { ${metadata} }
spec: { selector: { app: echo }, ports: [{ port: 80, targetPort: 8000 }] }
`
  const labelled = POD.replace(ANNOTATIONS, `labels: { app: echo }\n  ${ANNOTATIONS}`)

  test.each([
    ['before the pod', service('name: front') + '---\n' + labelled],
    ['behind it', labelled + service('name: front')],
    [
      'in a List',
      `${labelled}---\n${JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'front' },
            spec: { selector: { app: 'echo' }, ports: [{ port: 80, targetPort: 8000 }] },
          },
        ],
      })}\n`,
    ],
  ])('tell the port of a server, and are led to its sidecar and back: %s', (_name, held) => {
    const text = unheld(held)
    const first = injectManifest(text, options)
    expect(first.exitCode).toBe(0)
    expect(first.stderr).toContain('HTTP on port 8000, since a Service leads to it')
    expect(first.stderr).not.toContain('leads to the server itself')
    expect(first.stderr).toContain(
      "Service front: warning: its port 80 leads to the sidecar's 15200 now, in place of 8000",
    )
    expect(first.stdout).toMatch(/"?targetPort"?: ?15200/)
    expect(injectManifest(first.stdout, options).stdout).toBe(first.stdout)
    expect(uninjectManifest(first.stdout, options).stdout).toBe(text)
  })

  test('stay where the server is held on loopback', () => {
    const held = injectManifest(labelled + service('name: front'), options)
    expect(held.exitCode).toBe(0)
    expect(held.stderr).toContain('is held on loopback')
    expect(held.stderr).not.toContain('Service front')
    expect(held.stdout).toContain('targetPort: 8000')
  })

  test('stay where the server speaks TLS, for which the sidecar has no certificate', () => {
    const tls = labelled.replace(COMMAND, 'ports: [{ name: https, containerPort: 8000 }]')
    const { stdout, stderr } = injectManifest(tls + service('name: front'), options)
    expect(stderr).toContain('Service front: its port 80 leads to the server itself on 8000')
    expect(stdout).toContain('targetPort: 8000')
  })

  test.each<readonly [string, string, string, string]>([
    ['by the same number', '{ port: 8000 }', 'targetPort: 15200', 'in place of 8000'],
    ['by a name', '{ port: 80, targetPort: http }', 'targetPort: 15200', 'place of http'],
    [
      'of several ports the one that goes around',
      '{ name: a, port: 80, targetPort: http }, { name: b, port: 9090, targetPort: 9090 }',
      'targetPort: 9090',
      'in place of http',
    ],
  ])('in block style: %s', (_name, ports, left, said) => {
    const server = labelled.replace(COMMAND, 'ports: [{ name: http, containerPort: 8000 }]')
    const block = `---
# In front.
apiVersion: v1
kind: Service
metadata:
  name: front
spec:
  selector:
    app: echo
  ports: [${ports}] # as ever
`
    const first = injectManifest(server + block, options)
    expect(first.stdout).toContain(left)
    expect(first.stdout).toContain('targetPort: 15200')
    expect(first.stderr).toContain(said)
    expect(uninjectManifest(first.stdout, options).stdout).toBe(server + block)
  })

  const HEADLESS = service('name: front').replace('spec: { ', 'spec: { clusterIP: None, ')
  const NEIGHBOUR = `---\n${unheld(labelled).replace("'true'", "'false'").replace('name: echo', 'name: neighbour')}`
  test.each([
    ['that is headless', unheld(labelled) + HEADLESS, 'Service front is headless'],
    [
      'that leads to a pod that is not injected, too',
      unheld(labelled) + NEIGHBOUR + service('name: front'),
      'Service front: its port 80 leads to the server itself on 8000',
    ],
  ])('one %s stays, and is named', (_name, text, named) => {
    const { stdout, stderr } = injectManifest(text, options)
    expect(stderr).toContain(named)
    expect(stdout).not.toMatch(/targetPort: 15200/)
  })

  test('one is led all the same where a pod that only tries it has its labels', () => {
    const trial = NEIGHBOUR.replace('spec:\n', 'spec:\n  restartPolicy: Never\n')
    const text = unheld(labelled) + trial + service('name: front')
    expect(injectManifest(text, options).stdout).toContain('targetPort: 15200')
  })

  test('what somebody has led elsewhere since stays there', () => {
    const { stdout } = injectManifest(unheld(labelled) + service('name: front'), options)
    const moved = stdout.replace('targetPort: 15200', 'targetPort: 9999')
    const back = uninjectManifest(moved, options).stdout
    expect(back).toContain('targetPort: 9999')
    expect(back).not.toContain('outrigger.dev/status')
  })

  test('an author’s own outrigger.dev/status on a Service is his', () => {
    const text = service("name: front, annotations: { outrigger.dev/status: 'mine' }")
    expect(uninjectManifest(text, options).stdout).toBe(text)
  })

  test('of another namespace say nothing', () => {
    const { stderr } = injectManifest(labelled + service('name: front, namespace: other'), options)
    expect(stderr).not.toContain('Service front')
  })
})

describe('a manifest’s words in what is told of it', () => {
  const HOSTILE = POD.replace('name: echo', String.raw`name: "echo\e[2J\nb.yaml: fine\N"`).replace(
    'annotations: {',
    String.raw`annotations: { "outrigger.dev/x\e[31m\nforged": v,`,
  )
  const NAME = 'app.yaml: document 1: Pod echo [2J b.yaml: fine '

  test('warnings cannot be forged, nor the terminal steered', () => {
    const { stderr, exitCode } = injectManifest(HOSTILE, options)
    const lines = stderr.trimEnd().split('\n')
    expect(exitCode).toBe(0)
    expect(lines[0]).toBe(
      `${NAME}: warning: pod: outrigger.dev/x [31m forged is not an annotation of Outrigger`,
    )
    expect(lines.every((line) => line.startsWith('app.yaml: document 1: '))).toBe(true)
  })

  test('nor explanations', () => {
    const { stdout } = explainManifest(HOSTILE, options)
    expect(stdout.split('\n')[0]).toBe(`${NAME} (namespace default): injected`)
  })
})
