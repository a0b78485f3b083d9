// Every command of README.md, as it stands there, in a checkout of its own: a command that is changed there is run as
// changed. What stands in for another here: `npm ci` and `npm test` (that is where this runs), the tiers and benches that
// .ci/run runs by the same words, `docker` and `kubectl` (the cluster tier has them), whose words are held against the
// files they are about; ports are free ones, and the images' registry is one of this machine.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { COMMANDS } from '../../cli/commands.ts'
import {
  at,
  isObject,
  objectAt,
  objectsAt,
  stringAt,
  withAt,
  type JsonObject,
} from '../../shared/json.ts'
import { MCP_PATH, MCP_PORT } from '../../shared/names.ts'
import { copyCheckout, type Asked, type CheckoutCopy } from '../support/checkout-copy.ts'
import { SIDECAR_IMAGE, WEBHOOK_IMAGE } from '../../shared/own-images.ts'
import { anAuthority, issue } from '../support/certificates.ts'
import { kubeconfigFor, startFakeKube } from '../support/fake-kube.ts'
import { buildImage } from '../support/oci-image.ts'
import { openLegacy } from '../support/puppet.ts'
import { BLOCKS, rowOf, type BlockName, type RowName } from '../support/readme-places.ts'
import { commandRows, shellBlocks, spokenCommands, yamlBlocks } from '../support/readme.ts'
import { startRegistry, type Registry } from '../support/registry.ts'

/** What people have: nobody has annotated it. */
const PLAIN_SERVER = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'memory' },
  spec: { template: { spec: { containers: [{ name: 'memory', image: 'mcp/memory:1' }] } } },
}

const ASKING = { name: 'memory', annotations: { 'outrigger.dev/inject': 'true' } }

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const scripts = shellBlocks(README).map(({ script }) => script)

const NEVER = '/never'
const RUN_HERE = "start*|'run package'*|'run build'*"

let copy: CheckoutCopy
let registry: Registry

beforeAll(async () => {
  copy = copyCheckout({ npm: RUN_HERE, docker: NEVER, kubectl: NEVER, helm: NEVER })
  registry = await startRegistry()
  // As `npm ci` does.
  expect(await copy.run('npm run build')).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await registry.stop()
  copy.close()
})
afterEach(() => {
  for (const program of ['npm', 'docker', 'kubectl', 'helm'])
    expect(copy.asked(program)).toEqual([])
})

const read = (path: string): string => readFileSync(join(copy.path, path), 'utf8')
const objects = (path: string): readonly JsonObject[] =>
  parseAllDocuments(read(path))
    .map((document): unknown => document.toJS())
    .filter(isObject)
const wordsOf = (asked: readonly Asked[]): readonly string[] =>
  asked.map(({ words }) => words.join(' '))

const replaced = (text: string, what: string, by: string): string => {
  if (!text.includes(what)) throw new Error(`the README's command has no ${what}: ${text}`)
  return text.replace(what, by)
}
const onFreePort = (script: string): string => replaced(script, ' run --', ' run --port 0 --')

/** The MCP endpoint is there, and the server behind it answers. */
const echoes = async (url: string): Promise<void> => {
  const session = await openLegacy(url)
  expect(await session.call('echo', { message: 'hello' })).toBe('Echo: hello')
  await session.end()
}
const served = (script: string) => copy.serve(script, /listening on (\S+)/, echoes)

const EXAMPLE = 'manifests/examples/everything.yaml'
const DEV = '--config manifests/overlays/dev/config.yaml'
const example = (kind: string): JsonObject => {
  const found = objects(EXAMPLE).find((object) => object['kind'] === kind)
  if (found === undefined) throw new Error(`${EXAMPLE} has no ${kind}`)
  return found
}
const containerOf = (deployment: JsonObject): JsonObject => {
  const [container] = objectsAt(deployment, 'spec', 'template', 'spec', 'containers')
  if (container === undefined) throw new Error('it has no container')
  return container
}

/** A Dockerfile's image is one that the manifests name, and what it copies is there. */
const isBuildable = (words: string): void => {
  const [, file = '', name = '', tag = ''] =
    /^build -f (\S+) -t ([a-z-]+):(\S+) \.$/.exec(words) ?? []
  const copied = [...read(file).matchAll(/^COPY (?!--from)(?:--\S+ )*(.+) \S+$/gm)]
  const sources = copied.flatMap(([, paths = '']) => paths.split(' '))
  expect(sources.filter((path) => !existsSync(join(copy.path, path)))).toEqual([])
  const [kustomization = {}] = objects('manifests/base/kustomization.yaml')
  const [config = {}] = objects('manifests/base/config.yaml')
  const named = objectsAt(kustomization, 'images').map(
    (image) => `${stringAt(image, 'name')}:${stringAt(image, 'newTag')}`,
  )
  expect([...named, stringAt(config, 'sidecar', 'image')]).toContain(`${name}:${tag}`)
}

const BLOCK_CHECKS: Readonly<Record<BlockName, (script: string) => Promise<void>>> = {
  run: async (script) => void (await served(onFreePort(script))),
  'the package': async (script) => {
    const { stdout } = await served(onFreePort(script))
    const [, file = '-'] = /# makes (\S+?):/.exec(script) ?? []
    expect(stdout).toContain(`\n${file}\n`)
    expect(existsSync(join(copy.path, file))).toBe(true)
  },
  'npm start': async (script) => {
    const { stdout } = await copy.serve(script, /MCP Inspector or any client at (\S+)/, echoes)
    for (const step of [
      '1. The webhook listens',
      `2. The pod of ${EXAMPLE}`,
      '+     - name: outrigger-sidecar',
      '3. The pod runs here',
      '4. A client found',
      'Echo: hello from an ordinary MCP client',
      '5. The same pod with auth: oidc is http://127.0.0.1:',
      'found 1 tool (echo) and called it:',
      'Echo: hello from somebody who is known',
      "7. Eve's client did the same, and her call was refused:",
      'the tool policy denies this: no rule allows it',
    ])
      expect(stdout).toContain(step)
    expect(wordsOf(copy.asked('npm'))).toEqual(['ci'])
  },
  'npm test': async (script) => {
    expect(await copy.run(script)).toMatchObject({ code: 0 })
    expect(wordsOf(copy.asked('npm'))).toEqual(['ci', 'test'])
    expect(read('.ci/run')).toContain('\nstep npm test\n')
  },
  'the images, and the manifests': async (script) => {
    expect(await copy.run(script)).toMatchObject({ code: 0 })
    expect(wordsOf(copy.asked('npm'))).toEqual(['ci'])
    const builds = wordsOf(copy.asked('docker'))
    expect(builds).toHaveLength(2)
    for (const words of builds) isBuildable(words)
    const [[, , folder = ''] = [], waiting = []] = copy.asked('kubectl').map(({ words }) => words)
    expect(existsSync(join(copy.path, folder, 'kustomization.yaml'))).toBe(true)
    const [, namespace = '', , , deployment = ''] = waiting
    expect(objects('manifests/base/kustomization.yaml')).toMatchObject([{ namespace }])
    const [, name] = deployment.split('/')
    expect(objects('manifests/base/deployment.yaml')).toMatchObject([{ metadata: { name } }])
  },
  'the chart': async (script) => {
    expect(await copy.run(script)).toMatchObject({ code: 0 })
    expect(wordsOf(copy.asked('kubectl'))).toEqual(['apply -f manifests/base/namespace.yaml'])
    expect(existsSync(join(copy.path, 'manifests/base/namespace.yaml'))).toBe(true)
    const [[verb, release, chart = '', ...flags] = []] = copy
      .asked('helm')
      .map(({ words }) => words)
    expect([verb, release]).toEqual(['install', 'outrigger'])
    expect(objects(`${chart}/Chart.yaml`)).toMatchObject([{ name: 'outrigger' }])
    expect(objects(`${chart}/namespace.yaml`)).toMatchObject([{ metadata: { name: flags[1] } }])
    const [, config = ''] = flags[3]?.split('=') ?? []
    expect(existsSync(join(copy.path, config))).toBe(true)
  },
  'an example, and a call': async (script) => {
    expect(await copy.run(script)).toMatchObject({ code: 0 })
    const deployment = example('Deployment')
    const [build] = copy.asked('docker')
    expect(build?.words).toEqual(['build', '-t', containerOf(deployment)['image'], '-'])
    const server = '@modelcontextprotocol/server-everything'
    const version = stringAt(JSON.parse(read('package.json')), 'devDependencies', server)
    const uid = at(deployment, 'spec', 'template', 'spec', 'securityContext', 'runAsUser')
    expect(build?.stdin).toMatch(/^FROM node:\S+\n/)
    expect(build?.stdin).toContain(`\nRUN npm install -g ${server}@${version}\n`)
    expect(build?.stdin).toContain(`\nUSER ${JSON.stringify(uid)}\n`)
    expect(wordsOf(copy.asked('kubectl'))).toEqual([
      `apply -f ${EXAMPLE}`,
      `port-forward deployment/${stringAt(deployment, 'metadata', 'name')} ${MCP_PORT}`,
    ])
    expect(script).toContain(`then http://127.0.0.1:${MCP_PORT}${MCP_PATH}`)
  },
  'a first message': async (script) => {
    const [run = ''] = scripts
    await copy.serve(onFreePort(run), /listening on (\S+)/, async (url) => {
      const place = `http://127.0.0.1:${MCP_PORT}${MCP_PATH}`
      const { code, stdout } = await copy.run(replaced(script, place, url))
      expect(code).toBe(0)
      expect(stdout).toContain('HTTP/1.1 200 OK')
      expect(stdout).toContain('"serverInfo":')
    })
  },
  'an annotation on what runs already': async (script) => {
    expect(await copy.run(script)).toMatchObject({ code: 0 })
    const [[verb, kind, name, annotation = ''] = []] = copy
      .asked('kubectl')
      .map(({ words }) => words)
    const deployment = example('Deployment')
    expect([verb, kind, name]).toEqual([
      'annotate',
      'deployment',
      stringAt(deployment, 'metadata', 'name'),
    ])
    const [key = '', value = ''] = annotation.split('=')
    const bare = withAt(deployment, ['spec', 'template', 'metadata', 'annotations'], {})
    const annotated = withAt(bare, ['metadata', 'annotations'], { [key]: value })
    const inject = (manifest: JsonObject) =>
      copy.run(`npx outrigger inject -f - ${DEV} <<'END'\n${stringify(manifest)}END`)
    expect((await inject(bare)).stderr).toContain('nothing opts it in')
    expect((await inject(annotated)).stderr).toContain('1 injected')
  },
}

describe('a block of the README', () => {
  test.each(BLOCKS.map(([heading, name], index) => ({ heading, name, index })))(
    '$heading: $name',
    async ({ name, index }) => BLOCK_CHECKS[name](scripts[index] ?? ''),
  )
})

/** What a program's usage lists, or `.ci/run` runs. */
const isKnown = (file: string, words: string): void => expect(read(file)).toContain(words)

type RowCheck = (command: string, about: string) => Promise<void> | void

const ROW_CHECKS: Readonly<Record<RowName, RowCheck>> = {
  'npx outrigger run': async (command, about) => {
    const server = 'npx -y @modelcontextprotocol/server-everything'
    await served(onFreePort(replaced(command, 'CMD ARGS', server)))
    expect(about).toContain('without the flag it asks for `--oidc-issuers URL`')
    const refused = replaced(replaced(command, ' --allow-anonymous', ''), 'CMD ARGS', server)
    expect(await copy.run(refused)).toMatchObject({ code: 2, stdout: '' })
  },
  'npx outrigger inject': async (command, about) => {
    const whole = replaced(command, 'FILE', EXAMPLE)
    const strict = await copy.run(whole)
    expect(strict).toMatchObject({ code: 1, stdout: '' })
    const [, flag = ''] = /need `(--config [^`]+)`/.exec(about) ?? []
    expect(strict.stderr).toContain(flag.replace('--config ', ''))
    const injected = await copy.run(`${whole} ${flag}`)
    expect(injected.code).toBe(0)
    expect(injected.stdout).toContain('- name: outrigger-sidecar')
    const back = await copy.run(
      `${whole} ${flag} | ${replaced(command, 'inject', 'uninject').replace('FILE', '-')}`,
    )
    expect([back.code, back.stdout]).toEqual([0, read(EXAMPLE)])
  },
  'npx outrigger inject --report': async (command, about) => {
    const whole = `${replaced(command, 'DIR', 'manifests/examples')} ${DEV}`
    expect((await copy.run(whole)).stdout).toMatch(/^11 pods in 13 files\n +11 {2}injected\n/)
    expect(about).toContain('`-o json`')
    expect(JSON.parse((await copy.run(`${whole} -o json`)).stdout)).toMatchObject({ injected: 11 })
    expect(about).toContain('`--namespace-file`')
    const of = '--namespace-file manifests/examples/namespace.yaml'
    expect(await copy.run(`${whole} ${of}`)).toMatchObject({ code: 0 })
  },
  'npx outrigger check': async (command, about) => {
    const whole = `${replaced(command, 'DIR', 'manifests/examples')} ${DEV}`
    const clean = await copy.run(whole)
    expect([clean.code, clean.stdout]).toEqual([
      0,
      '11 pods in 13 files: 0 denied, 11 injected, 0 left alone\n',
    ])
    expect(about).toContain('`--level strict`')
    const strict = await copy.run(`${whole} --level strict`)
    expect(strict.code).toBe(1)
    expect(strict.stdout).toMatch(/^manifests\/examples\/\w+\.yaml:\d+: .* \(rule [a-z-]+\)$/m)
    for (const format of ['sarif', 'json']) {
      expect(about).toContain(`\`-o ${format}\``)
      const { stdout } = await copy.run(`${whole} --level strict -o ${format}`)
      expect(stdout).toContain('image-digest')
      expect(() => JSON.parse(stdout)).not.toThrow()
    }
  },
  'npx outrigger scan': async (command, about) => {
    expect(about).toContain('`-f DIR`')
    // Of a cluster: test/cluster/control/scan.test.ts.
    const whole = replaced(command, '-A', '-f')
    const ours = await copy.run(`${whole} manifests/examples`)
    expect([ours.code, ours.stdout]).toEqual([
      0,
      '11 workloads look like MCP servers: 11 under Outrigger\n',
    ])
    const other = `${whole} - <<'END'\n${JSON.stringify(PLAIN_SERVER)}\nEND`
    const found = await copy.run(other)
    expect(found.code).toBe(1)
    expect(found.stdout).toContain(
      'do: kubectl annotate -n default deployment/memory outrigger.dev/inject=true\n',
    )
    expect(about).toContain('`-o json`')
    const { stdout } = await copy.run(replaced(other, ' - ', ' - -o json '))
    expect(JSON.parse(stdout)).toMatchObject({ outside: 1, found: [{ name: 'memory' }] })
  },
  'npx outrigger status': async (command, about) => {
    // What it finds: test/cluster/control/status.test.ts.
    const kube = await startFakeKube({})
    kube.others.set('/apis/apps/v1/deployments', () => ({
      kind: 'DeploymentList',
      apiVersion: 'apps/v1',
      items: [withAt(PLAIN_SERVER, ['metadata'], ASKING)],
    }))
    writeFileSync(join(copy.path, 'kubeconfig'), kubeconfigFor(kube))
    const here = `export KUBECONFIG=kubeconfig; ${command}`
    const { code, stdout, stderr } = await copy.run(here)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Deployment\/memory +no pod +0\/1/)])
    expect(stderr).toContain('whether sidecars are those of the configuration is not known')
    expect(about).toContain('`--reaches HOST:PORT`')
    const reaching = await copy.run(`${here} --reaches db.example:5432 -o json`)
    expect(JSON.parse(reaching.stdout)).toMatchObject({
      workloads: [{ ways: [{ how: 'perhaps' }] }],
    })
    expect(about).toContain('`-n`')
    expect(about).toContain('`-o json`')
    await kube.close()
  },
  'npx outrigger doctor': async (command, about) => {
    // What it finds: test/cluster/control/doctor.test.ts.
    const kube = await startFakeKube({})
    writeFileSync(join(copy.path, 'kubeconfig'), kubeconfigFor(kube))
    const here = `export KUBECONFIG=kubeconfig; ${command}`
    const { code, stdout } = await copy.run(here)
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^ok +API server: .* 1\.36/)])
    expect(stdout).toContain('FAULT    webhook: there is no Deployment')
    expect(about).toContain('`-n`')
    expect((await copy.run(`${here} -n tools`)).stdout).toContain('namespace tools')
    expect(about).toContain('`-o json`')
    expect(JSON.parse((await copy.run(`${here} -o json`)).stdout)).toHaveProperty('findings')
    await kube.close()
  },
  'npx outrigger certs inspect': async (command, about) => {
    // Of a cluster: test/integration/webhook/certificates.test.ts.
    const by = anAuthority()
    const { cert } = issue({ names: ['outrigger-webhook'], by, untilMs: 30 * 86_400_000 })
    const pem = await copy.run(`${command} - <<'END'\n${cert}${by.cert}END`)
    expect([pem.code, pem.stdout]).toEqual([0, expect.stringContaining('nothing is wrong')])
    const other = await copy.run(`${command} - <<'END'\n${cert}${anAuthority('b').cert}END`)
    expect([other.code, other.stdout]).toEqual([1, expect.stringContaining('  do: ')])
    expect(about).toContain('`-o json`')
    const { stdout } = await copy.run(`${command} -o json - <<'END'\n${cert}${by.cert}END`)
    expect(JSON.parse(stdout)).toMatchObject({ faults: [], serving: [{ isTrusted: true }] })
  },
  'npx outrigger images add': async (command) => {
    const image = `${registry.host}/echo:1`
    await registry.push('echo', '1', await buildImage({ config: { Entrypoint: ['echo'] } }))
    const registries = { [registry.host]: { allowPlainHttp: true } }
    const config = stringify({ sidecar: { image: 'x' }, registries })
    const whole = `${replaced(command, 'IMAGE', image)} --config /dev/stdin <<'END'\n${config}END`
    const { code, stdout } = await copy.run(whole)
    expect(code).toBe(0)
    expect(stringAt(parse(stdout), 'data', 'index.json')).toContain(image)
  },
  'npx outrigger images list': async (command, about) => {
    const { code, stdout } = await copy.run(command)
    expect([code, stdout]).toEqual([0, `${WEBHOOK_IMAGE}\n${SIDECAR_IMAGE}\n`])
    expect(about).toContain('`--config FILE`')
    const mirrored = `${command} --config - <<'END'\nsidecar: { image: mirror.example/x@sha256:1 }\nEND`
    expect((await copy.run(mirrored)).stdout).toBe(`${WEBHOOK_IMAGE}\nmirror.example/x@sha256:1\n`)
  },
  'npx outrigger explain': async (command) => {
    const { code, stdout } = await copy.run(`${replaced(command, 'FILE', EXAMPLE)} ${DEV}`)
    expect(code).toBe(0)
    expect(stdout).toMatch(/ process-model +session +default\n/)
    expect(stdout).toMatch(/ auth +none +pod\n/)
  },
  'npx outrigger dev': async (command) => {
    const whole = replaced(command, 'FILE', EXAMPLE)
    await copy.serve(whole, /Deployment\/everything \(everything\) on (\S+)/, echoes)
  },
  'npx outrigger policy test': async (command, about) => {
    const file = (text: string) => replaced(text, 'POLICY', 'manifests/policies/example.yaml')
    const claims = JSON.stringify({ iss: 'https://idp.example', sub: 'alice', groups: ['staff'] })
    const call = replaced(replaced(file(command), 'CLAIMS', `'${claims}'`), 'TOOL', 'echo')
    expect(await copy.run(replaced(call, 'JSON', `'{"message":"hello"}'`))).toMatchObject({
      code: 0,
      stdout: 'allowed by short-echo\nroles: everyday\n',
    })
    expect(about).toContain('exit code 1: denied')
    expect(await copy.run(replaced(call, 'JSON', `'{"message":"${'x'.repeat(300)}"}'`))).toEqual({
      code: 1,
      stdout: 'denied: no rule allows it\nroles: everyday\n',
      stderr: '',
    })
    const [, lint = ''] = /`(policy lint -f POLICY)`/.exec(about) ?? []
    const linted = await copy.run(`npx outrigger ${file(lint)}`)
    expect([linted.code, linted.stdout]).toEqual([0, expect.stringContaining('nothing amiss')])
    const [, whoCan = ''] = /`(policy who-can TOOL -f POLICY)`/.exec(about) ?? []
    const rules = await copy.run(`npx outrigger ${replaced(file(whoCan), 'TOOL', 'echo')}`)
    expect([rules.code, rules.stdout]).toEqual([0, expect.stringContaining('  short-echo: ')])
  },
  'npx outrigger tools lock': async (command, about) => {
    const server = 'npx -y @modelcontextprotocol/server-memory'
    const lock = await copy.run(replaced(command, 'CMD ARGS', server))
    expect([lock.code, lock.stdout]).toEqual([0, expect.stringContaining('\n  create_entities:\n')])
    const [, verify = ''] = /`(tools verify -f LOCK -- CMD ARGS)`/.exec(about) ?? []
    const whole = replaced(replaced(verify, 'LOCK', '-'), 'CMD ARGS', server)
    const verified = (text: string) =>
      copy.run(`npx outrigger ${whole} <<'END'\n${text.replace(/\n$/, '')}\nEND`)
    expect(await verified(lock.stdout)).toMatchObject({ code: 0 })
    expect(about).toContain('exit code 1')
    const other = await verified(lock.stdout.replace('  create_entities:', '  other_entities:'))
    expect([other.code, other.stdout]).toEqual([
      1,
      'the tool "create_entities" is new\nthe tool "other_entities" is gone\n',
    ])
  },
  'npx outrigger audit verify': async (command, about) => {
    const [, flag = ''] = /`run (--audit-file FILE)`/.exec(about) ?? []
    const file = (text: string) => replaced(text, 'FILE', 'records.jsonl')
    await served(
      onFreePort(`npx outrigger run --allow-anonymous ${file(flag)} -- mcp-server-everything`),
    )
    const whole = await copy.run(file(command))
    expect([whole.code, whole.stdout]).toEqual([
      0,
      expect.stringContaining('all as they were written'),
    ])
    const [, tail = ''] = /`(audit tail FILE[^`]*)`/.exec(about) ?? []
    const shown = await copy.run(`npx outrigger ${file(tail)}`)
    expect([shown.code, shown.stdout]).toEqual([0, ''])
    const all = await copy.run(`npx outrigger ${file('audit tail FILE')}`)
    expect(all.stdout).toMatch(/ {2}local {2}call {2}nobody {2}tools\/call \S+ {2}ok/)
    await copy.run("sed -i 's/tools.call/tools_call/' records.jsonl")
    expect(about).toContain('exit code 1')
    expect(await copy.run(file(command))).toMatchObject({ code: 1 })
  },
  'npx outrigger completion': async (command, about) => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect(about).toContain(shell)
      const { code, stdout } = await copy.run(replaced(command, 'bash', shell))
      expect([code, stdout.includes('uninject')]).toEqual([0, true])
    }
    const [, help = ''] = /`(npx outrigger help COMMAND)`/.exec(about) ?? []
    for (const [name] of COMMANDS) {
      const { code, stdout } = await copy.run(replaced(help, 'COMMAND', name))
      expect([code, stdout.startsWith(`usage: outrigger ${name}`)]).toEqual([0, true])
    }
  },
  'npm run conformance': () => isKnown('test/integration/conformance.test.ts', 'conformance'),
  'npm run bench -- bridge': (command) => isKnown('.ci/run', `\nstep ${command} `),
  'npm run bench -- auth': () => isKnown('test/bench/auth/bench.ts', "name: 'auth'"),
  'npm run bench -- whole': () => isKnown('test/bench/whole/bench.ts', "name: 'whole'"),
  'npm run bench -- telemetry': () => isKnown('test/bench/telemetry/bench.ts', "name: 'telemetry'"),
  'npm run bench -- pressure': () => isKnown('test/bench/pressure/bench.ts', "name: 'pressure'"),
  'npm run bench -- admission': () => isKnown('test/bench/admission/bench.ts', "name: 'admission'"),
  'npm run soak': (command) => isKnown('test/soak/main.ts', command),
  'npm run cluster -- up': () => isKnown('test/cluster/main.ts', 'npm run cluster -- up'),
  'npm run test:cluster': (command) => isKnown('.ci/run', `\nstep ${command}\n`),
  'npm run test:corpus': (command) => isKnown('package.json', command.replace('npm run ', '')),
  'npm run check': () => isKnown('package.json', '"check": "npm run lint && npm run test:unit"'),
}

describe('a command in the table of the README', () => {
  test.each(commandRows(README))('$command', async ({ command, about }) => {
    const name = rowOf(command)
    if (name === undefined) throw new Error('it has no place in test/support/readme-places.ts')
    const [, script] = /^npm run (\S+)/.exec(command) ?? []
    if (script !== undefined) isKnown('package.json', `"${script}": "`)
    await ROW_CHECKS[name](command, about)
  })
})

test('the manifest of the section on egress runs by dev, which is said to try it', async () => {
  const [block = ''] = yamlBlocks(README, 'Egress')
  const shown: unknown = parse(block)
  const annotations = isObject(shown) ? objectAt(shown, 'metadata', 'annotations') : {}
  expect(Object.keys(annotations)).toContain('outrigger.dev/egress')
  const deployment = example('Deployment')
  const own = objectAt(deployment, 'spec', 'template', 'metadata', 'annotations')
  const manifest = withAt(deployment, ['spec', 'template', 'metadata', 'annotations'], {
    ...own,
    ...annotations,
  })
  const [said = ''] = spokenCommands(README, /^npx outrigger dev -f FILE$/)
  const script = `${replaced(said, 'FILE', '-')} <<'END'\n${stringify(manifest)}END`
  const { stderr } = await copy.serve(
    script,
    /Deployment\/everything \(everything\) on (\S+)/,
    echoes,
  )
  expect(stderr).not.toContain('not listed')
})

describe('a command in a sentence of the README', () => {
  const spoken = [...spokenCommands(README, /\boutrigger (?!help )[a-z]+ /), ...scripts]

  // Not what it is called elsewhere: helm install outrigger.
  test.each(spoken.filter((command) => /^(?:npx )?outrigger /m.test(command)))(
    'has flags that there are: %s',
    async (command) => {
      const [, name = '', rest = ''] = /^(?:npx )?outrigger ([a-z]+)(.*)/m.exec(command) ?? []
      const own = await COMMANDS.get(name)?.load()
      const given = (rest.split(' -- ')[0] ?? '').matchAll(/ --([a-z-]+)/g)
      const known = Object.keys(own?.flags ?? {})
      expect([...given].flatMap(([, flag = '']) => (known.includes(flag) ? [] : [flag]))).toEqual(
        [],
      )
      expect(own).toBeDefined()
    },
  )

  test('npm start ends after the call where it is told to', async () => {
    const [command = ''] = spokenCommands(README, /^npm start -- /)
    const { code, stdout } = await copy.run(command)
    expect([code, stdout.includes('Echo: hello from an ordinary MCP client')]).toEqual([0, true])
  })

  test("the project's own Node runs it without npx", async () => {
    const [command = ''] = spokenCommands(README, /^node_modules/)
    const { code, stdout } = await copy.run(replaced(command, '…', '--version'))
    expect([code, stdout.startsWith('outrigger ')]).toEqual([0, true])
  })
})
