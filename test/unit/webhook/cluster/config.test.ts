import { describe, expect, test } from '@jest/globals'
import { readClusterConfig } from '../../../../webhook/cluster/config.ts'
import { DEFAULT_SIDECAR_UID } from '../../../../webhook/cluster/config-schema.ts'
import { relaxations } from '../../../../webhook/settings/floor.ts'
import { parseOptions } from '../../../../webhook/options.ts'

const errorsOf = (text: string): readonly string[] => {
  const config = readClusterConfig(text)
  return config.ok ? [] : config.error
}

describe('the cluster configuration', () => {
  test('is closed by default', () => {
    const config = readClusterConfig('sidecar: { image: x }')
    expect(config).toMatchObject({
      ok: true,
      value: {
        sidecar: { image: 'x', uid: DEFAULT_SIDECAR_UID, imagePullSecrets: [] },
        floor: {
          allowAnonymous: false,
          allowSharedProcesses: false,
          allowKubeApi: false,
          allowAdvisoryIsolation: false,
          allowAdvisoryEgress: false,
          unresolvable: 'deny',
          exemptContainers: [],
        },
        server: { defaultUid: 65_534, defaultGid: 65_534, limits: {}, requests: {} },
      },
    })
  })

  test.each([
    ['nothing', '', 'it is empty'],
    ['no image', 'sidecar: {}', 'sidecar.image'],
    ['a member that does not exist', 'sidecar: { image: x }\nflor: {}', 'flor'],
    ['a mistyped floor', 'sidecar: { image: x }\nfloor: { allowAnonymus: true }', 'allowAnonymus'],
    [
      'records to no URL',
      'sidecar: { image: x }\naudit: { otlp: { endpoint: collector:4318 } }',
      'audit.otlp.endpoint',
    ],
    [
      'metrics for a collector that nobody names',
      'sidecar: { image: x }\nmetrics: {}',
      'metrics: no collector is named',
    ],
    [
      'a path of records that leads nowhere',
      'sidecar: { image: x }\nsettings: { audit-redact: $.card }',
      'settings.audit-redact',
    ],
    [
      'a claim that is no name',
      'sidecar: { image: x }\naudit: { claim: "a/b" }',
      'audit.claim: must be the name of a PersistentVolumeClaim',
    ],
    [
      'records for a collector that nobody names',
      'sidecar: { image: x }\nsettings: { audit-sink: otlp }',
      'settings.audit-sink: no collector is named',
    ],
    [
      'checkpoints for one',
      'sidecar: { image: x }\naudit: { otlp: { headersSecret: x } }',
      'audit.otlp: no collector is named',
    ],
    [
      'traces to no URL',
      'sidecar: { image: x }\ntraces: { endpoint: collector:4318 }',
      'traces.endpoint',
    ],
    [
      'traces with a secret that every pod would show',
      'sidecar: { image: x }\ntraces: { endpoint: "https://a:b@collector" }',
      'user or password',
    ],
    [
      'more traces than there are',
      'sidecar: { image: x }\ntraces: { endpoint: "http://collector", sampleRatio: 2 }',
      'traces.sampleRatio',
    ],
    [
      'a base policy of another form',
      'sidecar: { image: x }\nfloor:\n  basePolicy:\n    version: 1\n    rule: []\n',
      'line 5, column 5: floor.basePolicy.rule: ',
    ],
    [
      'a base policy whose condition is none',
      'sidecar: { image: x }\nfloor:\n  basePolicy:\n    version: 1\n    rules:\n      - { name: a, effect: deny, when: "tool ==" }\n',
      'line 6, column 34: floor.basePolicy.rules.0.when: at character 6: ',
    ],
    [
      'a base policy that no pod could bear',
      `sidecar: { image: x }\nfloor: { basePolicy: { version: 1, rules: [${Array.from({ length: 200 }, (_none, index) => `{ name: r${index}, effect: deny, tools: [${'x'.repeat(400)}] }`).join(', ')}] } }`,
      'line 2, column 10: floor.basePolicy: takes ',
    ],
    [
      'destinations for a pattern of namespaces, which would hold for none',
      "sidecar: { image: x }\nfloor: { egress: { 'team-*': ['a.example:443'] } }",
      'floor.egress.team-*: its name must be a namespace, or * for every namespace',
    ],
    ['root as the sidecar', 'sidecar: { image: x, uid: 0 }', 'sidecar.uid'],
    [
      'a quantity that is none',
      'sidecar: { image: x }\nfloor: { maxSidecarCpu: lots }',
      'maxSidecarCpu',
    ],
    ['root as the default user', 'sidecar: { image: x }\nserver: { defaultUid: 0 }', 'defaultUid'],
    [
      "the sidecar's user as the default user",
      'sidecar: { image: x, uid: 7 }\nserver: { defaultUid: 7 }',
      "server.defaultUid: 7 is the sidecar's uid",
    ],
    [
      'a setting that is not in the table',
      'sidecar: { image: x }\nsettings: { injct: "true" }',
      '"injct"',
    ],
    [
      'a setting of another scope',
      'sidecar: { image: x }\nsettings: { container: a }',
      'container',
    ],
    [
      'a lock whose digest is none',
      'sidecar: { image: x }\nfloor:\n  toolLocks:\n    - lock: { version: 1, tools: { echo: { description: abc } } }\n',
      'line 4, column 44: floor.toolLocks.0.lock.tools.echo.description: must be sha256:',
    ],
    [
      'a lock for an image that goes by another name, too',
      'sidecar: { image: x }\nfloor: { toolLocks: [{ images: [node], lock: { version: 1 } }] }',
      'floor.toolLocks.0.images.0: must be an image by its full name',
    ],
    [
      'a lock for one tag of an image',
      "sidecar: { image: x }\nfloor: { toolLocks: [{ images: ['docker.io/library/node:24'], lock: { version: 1 } }] }",
      'floor.toolLocks.0.images.0: must be an image by its full name',
    ],
    [
      'a lock that no pod could bear',
      `sidecar: { image: x }\nfloor: { toolLocks: [{ lock: { version: 1, tools: { ${Array.from({ length: 700 }, (_none, index) => `t${index}: { description: 'sha256:${'a'.repeat(64)}' }`).join()} } } }] }`,
      'floor.toolLocks.0.lock: takes ',
    ],
    [
      'a setting with a bad value',
      'sidecar: { image: x }\nsettings: { log-level: loud }',
      'log-level',
    ],
    [
      'a setting that its own floor forbids',
      'sidecar: { image: x }\nsettings: { auth: none }',
      'allowAnonymous',
    ],
    [
      'an issuer that is no URL',
      'sidecar: { image: x }\nfloor: { issuers: [{ url: login.example.com }] }',
      'floor.issuers.0.url',
    ],
    [
      'an issuer whose URL holds a password',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'https://a:b@login.example.com' }] }",
      'user or password',
    ],
    [
      'an issuer without TLS',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'http://login.example.com' }] }",
      'floor.issuers.0.url: must begin with https://, since whoever is on the way could answer for it',
    ],
    [
      'an issuer on loopback',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'http://127.0.0.1:8080' }] }",
      'floor.allowLoopbackIssuers',
    ],
    [
      'an issuer whose keys come from the pod itself',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'https://login.example.com', hosts: [{ host: a, reach: loopback }] }] }",
      'floor.allowLoopbackIssuers',
    ],
    [
      'an issuer twice',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'https://a.example' }, { url: 'https://a.example' }] }",
      'floor.issuers.1.url: stands there twice: at floor.issuers.0, too',
    ],
    [
      'an issuer that no annotation could name',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'https://a.example/b,c' }] }",
      'a comma',
    ],
    [
      'an audience that no annotation could name',
      "sidecar: { image: x }\nfloor: { issuers: [{ url: 'https://a.example', audiences: ['b,c'] }] }",
      'a comma',
    ],
    [
      'more issuers than a sidecar reads',
      `sidecar: { image: x }\nfloor: { issuers: [${Array.from({ length: 17 }, (_one, index) => `{ url: 'https://i${index}.example' }`).join()}] }`,
      'at most 16 items',
    ],
    [
      'a public URL that can never be claimed',
      "sidecar: { image: x }\nfloor: { publicUrls: { team-a: ['https://*.example.com'] } }",
      'floor.publicUrls.team-a.0: can never be claimed',
    ],
    [
      'a public URL that every namespace could claim',
      "sidecar: { image: x }\nfloor: { publicUrls: { '*': ['https://mcp.example.com/*'] } }",
      'put {namespace} into it',
    ],
    [
      'public URLs of what is no namespace',
      "sidecar: { image: x }\nfloor: { publicUrls: { Team_A: ['https://mcp.example.com'] } }",
      'must be a namespace, or *',
    ],
    [
      'an issuer in settings that its own floor does not list',
      "sidecar: { image: x }\nsettings: { oidc-issuers: 'https://b.example' }\nfloor: { issuers: [{ url: 'https://a.example' }] }",
      'did you mean `https://a.example`',
    ],
    [
      'an audience in settings that its own floor does not list',
      "sidecar: { image: x }\nsettings: { oidc-audience: mcp }\nfloor: { issuers: [{ url: 'https://a.example', audiences: [tools] }] }",
      'settings.oidc-audience: outrigger.dev/oidc-audience: `mcp` is not listed',
    ],
    ['a member twice', 'sidecar: { image: x }\nsidecar: { image: y }', 'line 2, column 1'],
    ['what is not YAML', 'sidecar: [', 'line 1'],
    [
      'two documents',
      'sidecar: { image: x }\n---\nfloor: {}\n',
      'line 2, column 1: it holds several documents',
    ],
    [
      'an alias',
      'sidecar: { image: &name x, imagePullSecrets: [*name] }',
      'line 1, column 47: an alias (*name): write out what it stands for',
    ],
    [
      'aliases of aliases',
      'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nsidecar: { image: x }',
      'line 2, column 8: an alias',
    ],
    [
      'a tag of its own',
      'sidecar: { image: !env IMAGE }',
      'line 1, column 24: there is no tag !env',
    ],
    [
      'a merge, which says elsewhere what holds here',
      'sidecar: { image: x }\nfloor: { <<: { allowAnonymous: true } }',
      'line 2, column 10: floor.<<: there is no such member',
    ],
    [
      'a key that is no string',
      'sidecar: { image: x }\nfloor: { publicUrls: { 1: [] } }',
      'line 2, column 24: a key must be a string (put it in quotes)',
    ],
    [
      'a key that is the parent of all objects',
      'sidecar: { image: x }\n__proto__: { floor: {} }',
      'line 2, column 1: no key may be called __proto__',
    ],
    ['what is nested without end', `sidecar: ${'['.repeat(100_000)}`, 'it is nested too deeply'],
    ['a list', '- sidecar', 'document'],
  ])('refuses %s', (_name, text, named) => {
    const errors = errorsOf(text)
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.join('\n')).toContain(named)
  })

  test('names line and column of each error, in their order', () => {
    const text = `sidecar: { image: x }
floor:
  levle: strict
  issuers:
    - url: https://a.example
      hosts:
        - host: keys.example.com
          reach: everywhere
    - audiences: [mcp]
  publicUrls:
    team-a: [nowhere]
settings:
  log-level: loud
`
    expect(errorsOf(text).map((error) => /^[^:]+: [^:]+:/.exec(error)?.[0])).toEqual([
      'line 3, column 3: floor.levle:',
      'line 8, column 11: floor.issuers.0.hosts.0.reach:',
      'line 9, column 7: floor.issuers.1.url:',
      'line 11, column 14: floor.publicUrls.team-a.0:',
      'line 13, column 3: settings.log-level:',
    ])
  })

  test('tells every error of its YAML at once', () => {
    expect(errorsOf('sidecar: x\nsidecar: y\nsidecar: z\n')).toHaveLength(2)
  })

  test('takes issuers and public URLs', () => {
    const text = `sidecar: { image: x }
floor:
  issuers: [{ url: 'https://a.example', audiences: [mcp], hosts: [{ host: b, reach: private }] }]
  publicUrls: { team-a: ['https://mcp.example.com/*', { url: 'https://s.example', name: s, serviceAccount: sa }], '*': ['https://{namespace}.example.com'] }
settings: { oidc-issuers: 'https://a.example', oidc-audience: mcp }
`
    expect(errorsOf(text)).toEqual([])
  })

  test('takes an issuer on loopback where that is allowed, and says so', () => {
    const text = `sidecar: { image: x }
floor: { allowLoopbackIssuers: true, issuers: [{ url: 'http://127.0.0.1:1234' }] }
`
    const config = readClusterConfig(text)
    expect(config.ok && relaxations(config.value.floor)).toEqual(['allowLoopbackIssuers'])
  })

  test('tells every error at once', () => {
    expect(errorsOf('sidecar: { uid: -1 }\nfloor: { unresolvable: maybe }')).toHaveLength(3)
    expect(
      errorsOf('sidecar: { image: x }\nsettings: { port: x, log-level: y, z: "1" }'),
    ).toHaveLength(3)
  })
})

describe('the command line', () => {
  test('has defaults for everything but the configuration', () => {
    expect(parseOptions(['webhook', '--config', 'c.yaml'])).toEqual({
      ok: true,
      value: {
        configFile: 'c.yaml',
        host: undefined,
        port: 8443,
        adminPort: 8081,
        namespace: 'outrigger-system',
        service: 'outrigger-webhook',
        caSecret: 'outrigger-ca',
        configuration: 'outrigger',
        authorityMs: 365 * 86_400_000,
        leafMs: 7 * 86_400_000,
        certDir: undefined,
        drainDelayMs: 5000,
        logLevel: 'info',
      },
    })
  })

  test.each([
    ['no command', ['--config', 'x'], 'webhook'],
    ['another command', ['serve', '--config', 'x'], 'serve'],
    ['two commands', ['webhook', 'webhook', '--config', 'x'], 'webhook'],
    ['no configuration', ['webhook'], '--config'],
    ['a flag that does not exist', ['webhook', '--config', 'x', '--prot', '1'], '--prot'],
    ['a port that is none', ['webhook', '--config', 'x', '--port', '65536'], '--port'],
    ['a life that is none', ['webhook', '--config', 'x', '--leaf-lifetime', '7'], 'leaf-lifetime'],
    [
      'a life that is too short',
      ['webhook', '--config', 'x', '--leaf-lifetime', '4s'],
      '5s to 90d',
    ],
    [
      'an authority that would not outlive what it signs',
      ['webhook', '--config', 'x', '--leaf-lifetime', '1h', '--ca-lifetime', '2h'],
      '3 times --leaf-lifetime',
    ],
    ['a delay that is none', ['webhook', '--config', 'x', '--drain-delay', '-1'], 'drain-delay'],
  ])('refuses %s', (_name, args, named) => {
    const options = parseOptions(args)
    expect(options.ok).toBe(false)
    if (!options.ok) expect(options.error.join('\n')).toContain(named)
  })
})
