// Mistakes that people make at the command line, and in what they hand to it: each with what it takes to make it. What
// they are told stands in test/golden/mistakes.txt.

import { fileURLToPath } from 'node:url'

export interface Mistake {
  readonly name: string
  /** `cli` where absent. */
  readonly program?: 'cli' | 'webhook' | 'sidecar'
  /** `DIR/` is the folder of the files, `PORT` a port on which somebody listens. */
  readonly args: readonly string[]
  /** By name; undefined: a folder. */
  readonly files?: Readonly<Record<string, string | Buffer | undefined>>
  readonly env?: Readonly<Record<string, string>>
}

/** A command line as it is typed, its words parted by blanks. */
export const typed = (name: string, line: string, files: Mistake['files'] = {}): Mistake => ({
  name,
  args: line.split(' ').filter((word) => word !== ''),
  files,
})

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
export const DEV_CONFIG = at('manifests/overlays/dev/config.yaml')

const INJECT = "outrigger.dev/inject: 'true'"
const pod = (command = '[c]', annotations = INJECT, rest = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: one\n  annotations:\n    ${annotations}\nspec:\n  containers:\n    - name: c\n      image: i\n      command: ${command}\n${rest}`
const KUBECONFIG = (server: string): string =>
  `apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: { server: "${server}" } }]\ncontexts: [{ name: c, context: { cluster: c, user: u } }]\nusers: [{ name: u, user: {} }]\ncurrent-context: c\n`
const TEMPLATE = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n'

/** A manifest under the configuration for trying things out. */
const manifest = (name: string, text: string | Buffer, command = 'inject'): Mistake => ({
  name,
  args: [command, '-f', 'DIR/in.yaml', '--config', DEV_CONFIG],
  files: { 'in.yaml': text },
})

/** A file beside a manifest that is right. */
const beside = (name: string, flag: string, text: string | undefined): Mistake => ({
  name,
  args: ['inject', '-f', 'DIR/in.yaml', flag, 'DIR/other.yaml'],
  files: { 'in.yaml': pod(), 'other.yaml': text },
})

const run = (name: string, ...args: readonly string[]): Mistake => ({
  name,
  args: ['run', '--allow-anonymous', '--port', '0', ...args],
})

const runFile = (name: string, text: string | undefined): Mistake => ({
  ...run(name, '--config', 'DIR/run.yaml', '--', 'cat'),
  files: { 'run.yaml': text },
})

const dev = (name: string, text: string, ...flags: readonly string[]): Mistake => ({
  name,
  args: ['dev', '-f', 'DIR/in.yaml', ...flags],
  files: { 'in.yaml': text },
})

const images = (
  name: string,
  args: readonly string[],
  more: Pick<Mistake, 'files' | 'env'> = {},
): Mistake => ({ name, args: ['images', ...args], ...more })

const webhook = (name: string, args: readonly string[], text?: string): Mistake => ({
  name: `webhook: ${name}`,
  program: 'webhook',
  args: ['webhook', ...args],
  files: text === undefined ? {} : { 'config.yaml': text },
  env: { KUBECONFIG: 'DIR/kubeconfig' },
})

const sidecar = (name: string, document?: string): Mistake => ({
  name: `sidecar: ${name}`,
  program: 'sidecar',
  args: [],
  env: document === undefined ? {} : { OUTRIGGER_CONFIG: document },
})
const open = (more: object): string =>
  JSON.stringify({ settings: { auth: 'none' }, host: '127.0.0.1', port: 0, adminPort: 0, ...more })

const tail = (
  name: string,
  args: readonly string[],
  files: Mistake['files'] = { 'audit.jsonl': 'listening\n' },
): Mistake => ({ name, args: ['audit', 'tail', ...args], files })

export const MISTAKES: readonly Mistake[] = [
  { name: 'no such command', args: ['injct'] },
  { name: 'a flag before the command', args: ['--verbose', 'run'] },
  { name: 'help on nothing', args: ['help', 'nope'] },
  { name: 'a man page by that name', args: ['man'] },
  { name: 'completion for no shell', args: ['completion'] },
  { name: 'completion for a shell that is not known', args: ['completion', 'powershell'] },
  { name: 'start with a word', args: ['start', 'now'] },
  { name: 'start on a port that is none', args: ['start', '--port', 'http'] },

  manifest('the prefix misspelt', pod('[c]', 'outriger.dev/inject: "true"')),
  manifest('the key misspelt', pod('[c]', `${INJECT}\n    outrigger.dev/prot: "80"`)),
  manifest('the kind misspelt', pod().replace('Pod', 'Deploymnt')),
  manifest('a member misspelt', pod().replace('spec:', 'spce:')),
  manifest('a value out of range', pod('[c]', `${INJECT}\n    outrigger.dev/port: "70000"`)),
  manifest('true without quotes', pod('[c]', 'outrigger.dev/inject: true')),
  manifest('an empty file', ''),
  manifest('plain text', 'hello world\n'),
  manifest('a list', '- a\n- b\n'),
  manifest('a kustomization', 'resources: [a.yaml]\n'),
  manifest('a template', TEMPLATE),
  manifest('a tab', 'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: one\n'),
  manifest('a key twice', 'apiVersion: v1\nkind: Pod\nkind: Pod\n'),
  manifest('an alias without its anchor', 'a: *nope\n'),
  manifest('a bracket that stays open', 'a: [1,\nb: 2\n'),
  manifest('a second colon', 'kind: Pod: x\n'),
  manifest('documents run together', `${pod()}apiVersion: v1\nkind: Service\n`),
  manifest('another encoding', Buffer.from('a: 1\nb: \u00e9\n', 'latin1')),
  manifest('a spec that is a list', pod().replace(/spec:.*/s, 'spec: [a]\n')),
  manifest('a pod without containers', pod().replace(/spec:.*/s, 'spec: {}\n')),
  manifest('a command that is text', pod('server --stdio')),
  manifest('explained: a value that is none', pod('[c]', "outrigger.dev/inject: 'ja'"), 'explain'),
  { name: 'inject without a file', args: ['inject'] },
  { name: 'a file without its flag', args: ['inject', 'pod.yaml'] },
  { name: 'a file that is not there', args: ['inject', '-f', 'DIR/no/such.yaml'] },
  { name: 'a directory for a file', args: ['inject', '-f', 'DIR'] },
  { name: 'two files', args: ['uninject', '-f', 'a.yaml', '-f', 'b.yaml'] },
  { name: 'check without a file', args: ['check'] },
  { name: 'check by no level', args: ['check', '-f', 'a.yaml', '--level', 'lax'] },
  { name: 'check for another format', args: ['check', '-f', 'a.yaml', '-o', 'xml'] },
  { name: 'check of an empty directory', args: ['check', '-f', 'DIR'], files: { sub: undefined } },
  { name: 'scan of one namespace and of all', args: ['scan', '-A', '-n', 'a'] },
  { name: 'scan of files and of a cluster', args: ['scan', '-A', '-f', 'DIR'] },
  {
    name: 'scan of what is no manifest',
    args: ['scan', '-f', 'notes.yaml'],
    files: { 'notes.yaml': 'mcp\n' },
  },
  { name: 'scan for another format', args: ['scan', '-f', 'DIR', '-o', 'yaml'] },
  { name: 'status of one namespace and of all', args: ['status', '-A', '-n', 'a'] },
  { name: 'status for another format', args: ['status', '-o', 'yaml'] },
  { name: 'status by a URL', args: ['status', '--reaches', 'https://db.example'] },
  { name: 'status by a port that is none', args: ['status', '--reaches', 'db.example:http'] },
  { name: "status by everybody's Service", args: ['status', '-A', '--reaches', 'db'] },
  {
    name: 'status of a cluster that does not answer',
    args: ['status'],
    files: { kubeconfig: KUBECONFIG('https://127.0.0.1:1') },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  },
  { name: 'doctor in a namespace that can be none', args: ['doctor', '-n', 'Bad_Name'] },
  { name: 'doctor by a flag of kubectl', args: ['doctor', '--kubeconfig', 'x'] },
  { name: 'doctor for another format', args: ['doctor', '-o', 'yaml'] },
  {
    name: 'doctor of a cluster that does not answer',
    args: ['doctor'],
    files: { kubeconfig: KUBECONFIG('https://127.0.0.1:1') },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  },
  { name: 'certs without what to do', args: ['certs'] },
  { name: 'certs of another verb', args: ['certs', 'inspekt'] },
  {
    name: 'certs in what holds none',
    args: ['certs', 'inspect', 'notes.yaml'],
    files: { 'notes.yaml': 'mcp\n' },
  },
  {
    name: 'certs in objects of something else',
    args: ['certs', 'inspect', 'pod.yaml'],
    files: { 'pod.yaml': pod() },
  },
  { name: 'certs for another format', args: ['certs', 'inspect', '-o', 'yaml'] },
  { name: 'a report on nothing', args: ['inject', '--report', '-f', 'DIR'] },
  { name: 'a namespace that can be none', args: ['inject', '-f', 'a.yaml', '-n', 'Bad_Name'] },
  { name: 'another format', args: ['explain', '-f', 'a.yaml', '-o', 'yaml'] },
  { name: 'a format without a report', args: ['inject', '-f', 'a.yaml', '-o', 'json'] },
  { name: 'a value for a switch', args: ['inject', '-f', 'a.yaml', '--report=yes'] },
  { name: 'a flag in the place of a value', args: ['explain', '-f', '--config', 'x'] },

  beside('a configuration with members that there are not', '--config', 'flor: {}\nsidecar:\n'),
  beside(
    'a configuration of wrong types',
    '--config',
    'sidecar: { image: 5 }\nfloor: { enforce: lax, allowAnonymous: "yes", exemptContainers: [x] }\nserver: { defaultUid: root }\nregistries: { a: b }\nsettings: { inject: maybe, idle-timout: 2s }\n',
  ),
  beside('a ConfigMap for the configuration', '--config', 'apiVersion: v1\nkind: ConfigMap\n'),
  beside('an empty configuration', '--config', ''),
  beside('a configuration that is a directory', '--config', undefined),
  beside('a configuration that is no YAML', '--config', 'sidecar: [\n'),
  beside('a namespace file without one', '--namespace-file', pod()),
  beside('a pod for the image index', '--images', pod()),
  beside('a template for the image index', '--images', TEMPLATE.replace('kind: Pod\n', '')),
  beside('an index of another form', '--images', 'version: 2\ntags: [x]\nimages: { a: {} }\n'),
  beside('an index that is no JSON', '--images', 'kind: ConfigMap\ndata: { index.json: "{" }\n'),

  { name: 'run with a flag misspelt', args: ['run', '--allow-anonymus', '--', 'cat'] },
  { name: 'run without --', args: ['run', '--allow-anonymous', 'node', 'server.js'] },
  { name: "another command's flag", args: ['run', '--env', 'A=hush-hush', '--', 'cat'] },
  run('nothing behind --', '--'),
  run('an empty word for the command', '--', ''),
  run('a port beyond all', '--port', '99999', '--', 'cat'),
  run('a port that is taken', '--port', 'PORT', '--', 'cat'),
  run('one port for both', '--port', '15299', '--admin-port', '15299', '--', 'cat'),
  run('two values that are none', '--startup-timeout', 'soon', '--process-model', 'x', '--', 'cat'),
  run('a host that there is not', '--host', 'bogus.invalid', '--', 'cat'),
  run("another machine's address", '--host', '192.0.2.1', '--', 'cat'),
  run('a URL for a name', '--allowed-host', 'http://x/', '--', 'cat'),
  run('a program that is not there', '--', 'no-such-server'),
  run('a file that is no program', '--', '/etc/passwd'),
  run('a server that fails', '--', 'sh', '-c', 'echo no database >&2; exit 3'),
  run('a command that is done at once', '--', 'true'),
  run('a server that is killed', '--', 'sh', '-c', 'kill -SEGV $$'),
  run('no server at all', '--startup-timeout', '1s', '--', 'cat'),
  run('a server that is silent', '--startup-timeout', '1s', '--', 'sleep', '600'),
  {
    ...run('a directory for temporary files that is not there', '--', 'cat'),
    env: { TMPDIR: '/nowhere' },
  },
  runFile('a configuration of a run that is a directory', undefined),
  runFile('a configuration of a run with a colon too many', 'a: b: c\n'),
  runFile(
    'a configuration of a run of wrong types',
    'seting: 1\nport: high\nallowedOrigins: x\ntraces: { endpoint: nowhere }\n',
  ),
  {
    ...run('audit records into a directory', '--audit-file', 'DIR/audit', '--', 'cat'),
    files: { audit: undefined },
  },
  {
    ...run('audit records into another file', '--audit-file', 'DIR/notes.txt', '--', 'cat'),
    files: { 'notes.txt': 'buy milk\n' },
  },
  run('audit records into a file that is not named', '--audit-sink', 'file', '--', 'cat'),
  run('audit records to two places', '--audit-sink=otlp', '--audit-file=DIR/a.jsonl', '--', 'cat'),
  run('audit records where no directory is', '--audit-file', 'DIR/no/audit.jsonl', '--', 'cat'),
  runFile(
    'audit records with keys and a path that are none',
    'audit: { checkpointKey: /dev/null, redact: { paths: [$.a, card] } }\n',
  ),
  runFile('an HTTP server for a command', 'settings: { transport: http, port: "80" }\n'),

  { name: 'audit without a verb', args: ['audit', 'DIR/audit.jsonl'] },
  tail('no records to show', []),
  tail('a file that holds no records', ['DIR/audit.jsonl']),
  tail('records of a file that is not there', ['DIR/none.jsonl']),
  tail('records of a folder without any', ['DIR/audit'], { audit: undefined }),
  tail('an outcome that there is not', ['DIR/audit.jsonl', '--outcome', 'faled']),
  tail('a time that is none', ['DIR/audit.jsonl', '--since', 'yesterday']),
  tail('a format that there is not', ['DIR/audit.jsonl', '-o', 'yaml']),
  tail('a flag of the other verb', ['DIR/audit.jsonl', '--key', 'DIR/audit.pub']),

  { name: 'dev without a file', args: ['dev'] },
  dev('a program that is not on the PATH', pod('[no-such-server]')),
  dev('a server that fails in dev', pod('[sh, -c, "echo broken >&2; exit 4"]')),
  dev(
    'a server that is silent in dev',
    pod('[tail]', `${INJECT}\n    outrigger.dev/startup-timeout: 1s`),
  ),
  dev('a Service alone', 'apiVersion: v1\nkind: Service\n'),
  dev('a volume that no pod has', pod(), '--volume', 'data=/'),
  dev('a variable that is not set', pod(), '--env', 'NOT_SET_HERE'),
  dev('a file of variables that is not there', pod(), '--env-file', 'DIR/none'),

  images('images without a verb', []),
  images('images with another verb', ['remove']),
  images('a list of an image', ['list', 'x']),
  images('a list for a cluster', ['list', '--apply']),
  images('an image in capitals', ['add', 'Upper/Case']),
  images('a registry that is not listed', ['add', 'localhost:1/x']),
  images('a registry that does not answer', ['add', 'localhost:1/x', '--config', 'DIR/c.yaml'], {
    files: { 'c.yaml': 'sidecar: { image: x }\nregistries: { "localhost:1": {} }\n' },
  }),
  images('another platform', ['add', 'x', '--platform', 'windows']),
  images('a kubeconfig that is not there', ['add', 'x', '--apply'], {
    env: { KUBECONFIG: 'DIR/none' },
  }),
  images('a kubeconfig that is a template', ['add', 'x', '--apply'], {
    files: { kubeconfig: TEMPLATE },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  }),
  images('a kubeconfig that leads nowhere', ['add', 'x', '--apply'], {
    files: { kubeconfig: 'apiVersion: v1\nkind: Config\n' },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  }),
  images('a cluster without TLS', ['add', 'x', '--apply'], {
    files: { kubeconfig: KUBECONFIG('http://127.0.0.1:1') },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  }),
  images('a cluster that does not answer', ['add', 'x', '--apply'], {
    files: { kubeconfig: KUBECONFIG('https://127.0.0.1:15297') },
    env: { KUBECONFIG: 'DIR/kubeconfig' },
  }),
  images("a directory for docker's configuration", ['add', 'docker.io/x'], {
    files: { 'config.json': undefined },
    env: { DOCKER_CONFIG: 'DIR' },
  }),
  images("docker's configuration cut short", ['add', 'docker.io/x'], {
    files: { 'config.json': '{' },
    env: { DOCKER_CONFIG: 'DIR' },
  }),

  webhook('no configuration', []),
  webhook('a flag misspelt', ['--confg', 'x']),
  webhook('a flag without its value', ['--config']),
  webhook('values that are none', [
    '--config=x',
    '--port=70000',
    '--drain-delay=x',
    '--log-level=loud',
  ]),
  webhook('a configuration that is not there', ['--config', 'DIR/none']),
  webhook('an empty configuration', ['--config', 'DIR/config.yaml'], ''),
  webhook('no cluster', ['--config', 'DIR/config.yaml'], 'sidecar: { image: x }\n'),

  sidecar('no configuration'),
  sidecar('a configuration cut short', '{'),
  sidecar('a member that there is not', open({ prot: 1 })),
  sidecar('a host that there is not', open({ host: 'bogus.invalid' })),
  sidecar('a directory that is not there', open({ runDir: '/nowhere/run' })),
  sidecar('no place for the shim', open({ binDir: '/nowhere/bin' })),
]
