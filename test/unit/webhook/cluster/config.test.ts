import { describe, expect, test } from '@jest/globals'
import { DEFAULT_SIDECAR_UID, readClusterConfig } from '../../../../webhook/cluster/config.ts'
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
          allowEgressObserve: false,
          allowKubeApi: false,
          allowAdvisoryIsolation: false,
          unresolvable: 'deny',
          exemptContainers: [],
        },
        server: { defaultUid: 65_534, defaultGid: 65_534 },
      },
    })
  })

  test.each([
    ['nothing', '', 'it is empty'],
    ['no image', 'sidecar: {}', 'sidecar.image'],
    ['a member that does not exist', 'sidecar: { image: x }\nflor: {}', 'flor'],
    ['a mistyped floor', 'sidecar: { image: x }\nfloor: { allowAnonymus: true }', 'allowAnonymus'],
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
      'a setting with a bad value',
      'sidecar: { image: x }\nsettings: { log-level: loud }',
      'log-level',
    ],
    [
      'a setting that its own floor forbids',
      'sidecar: { image: x }\nsettings: { auth: none }',
      'allowAnonymous',
    ],
    ['what is not YAML', 'sidecar: [', 'line 1'],
    ['two documents', 'sidecar: { image: x }\n---\nfloor: {}\n', '2 documents'],
    ['a list', '- sidecar', 'document'],
  ])('refuses %s', (_name, text, named) => {
    const errors = errorsOf(text)
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.join('\n')).toContain(named)
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
    ['a delay that is none', ['webhook', '--config', 'x', '--drain-delay', '-1'], 'drain-delay'],
  ])('refuses %s', (_name, args, named) => {
    const options = parseOptions(args)
    expect(options.ok).toBe(false)
    if (!options.ok) expect(options.error.join('\n')).toContain(named)
  })
})
