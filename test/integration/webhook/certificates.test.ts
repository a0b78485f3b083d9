// Certificates under a client that never stops calling: both rotate, each replica in its own time, and no call fails; a
// mounted certificate is served anew when its files change.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { isObject, objectAt, stringAt } from '../../../shared/json.ts'
import { adminOf } from '../../support/admin.ts'
import { postReview, reviewOf } from '../../support/admission.ts'
import { anAuthority, issue, type Issued } from '../../support/certificates.ts'
import { kubeconfigFor, startFakeKube, type FakeKube } from '../../support/fake-kube.ts'
import { bundleIn, knownBundle } from '../../support/known-bundle.ts'
import {
  shippedConfiguration,
  startReplica,
  WEBHOOK_SERVICE as SERVICE,
  type WebhookReplica,
} from '../../support/webhook-replica.ts'

const CALL_MS = 25
/** An API server reads a changed configuration so much later. */
const LAG_MS = 100

let directory: string
let kube: FakeKube
let replicas: WebhookReplica[] = []

const start = async (...more: readonly string[]): Promise<WebhookReplica> => {
  const replica = await startReplica(join(directory, 'kubeconfig'), more)
  replicas.push(replica)
  return replica
}

const bundle = (): string => bundleIn(kube)

const BODY = JSON.stringify(
  reviewOf({ spec: { containers: [{ name: 'c', image: 'i' }] } }, { namespace: 'servers' }),
)

/** A call on a connection of its own: what went wrong, or nothing. */
const call = async ({ port }: WebhookReplica, trusted: string): Promise<string | undefined> => {
  try {
    const url = `https://127.0.0.1:${port}/mutate`
    const { status } = await postReview(url, trusted, BODY, { servername: SERVICE })
    return status === 200 ? undefined : `status ${status}`
  } catch (error) {
    return String(error)
  }
}

const CLI = fileURLToPath(new URL('../../../cli/main.ts', import.meta.url))
const CONFIGURATION =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/outrigger'

const inspected = (): Promise<{
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}> => {
  const env = { ...process.env, KUBECONFIG: join(directory, 'kubeconfig') }
  return new Promise((resolve) => {
    const args = [CLI, 'certs', 'inspect']
    const child = execFile(process.execPath, args, { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

/** When the certificate of one ends, by its metrics. */
const end = ({ adminPort }: WebhookReplica): Promise<number> =>
  adminOf(adminPort).metric('outrigger_certificate_not_after_seconds')

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'outrigger-certificates-'))
  kube = await startFakeKube(shippedConfiguration())
  kube.addNamespace('servers', {})
  writeFileSync(join(directory, 'kubeconfig'), kubeconfigFor(kube))
})

afterEach(async () => {
  for (const { running } of replicas) await running.stop()
  replicas = []
  await kube.close()
  rmSync(directory, { recursive: true })
})

describe('an authority of our own', () => {
  test('is replaced twice, and leaves many times, without a failed call to either replica', async () => {
    const lives = ['--leaf-lifetime=15s', '--ca-lifetime=45s']
    const targets = [await start(...lives), await start(...lives)]
    const known = knownBundle(kube, LAG_MS)
    /** Again where another bundle has become known meanwhile: on a slow machine a call takes longer than an API server lags. */
    const callAsKnown = async (target: WebhookReplica): Promise<string | undefined> => {
      const trusted = known()
      const fault = await call(target, trusted)
      return fault !== undefined && known() !== trusted ? callAsKnown(target) : fault
    }
    const [authorities, leaves, faults] = [new Set<string>(), new Set<number>(), new Set<string>()]
    while (authorities.size < 3) {
      for (const target of targets) {
        const fault = await callAsKnown(target)
        if (fault !== undefined) faults.add(fault)
        leaves.add(await end(target))
      }
      authorities.add(stringAt(kube.secret(), 'data', 'ca.crt') ?? '')
      await after(CALL_MS)
    }
    // The last one signs, and what the first has signed is gone.
    await after(2000)
    for (const target of targets) expect(await call(target, bundle())).toBeUndefined()
    const [first = ''] = authorities
    expect(bundle()).not.toContain(Buffer.from(first, 'base64').toString().trim())
    expect([...faults]).toEqual([])
    expect(leaves.size).toBeGreaterThan(4)
  })

  test('is inspected with whom each replica is trusted by, and what is wrong, from outside', async () => {
    const replica = await start()
    const pods = '/api/v1/namespaces/outrigger-system/pods'
    const labels = { 'app.kubernetes.io/name': 'outrigger-webhook' }
    const pod = { metadata: { name: 'webhook-1', labels }, status: { phase: 'Running' } }
    kube.others.set(pods, () => ({ kind: 'PodList', apiVersion: 'v1', items: [pod] }))
    kube.others.set(`${pods}/webhook-1:8081/proxy/metrics`, async () => {
      const { text } = await adminOf(replica.adminPort).get('/metrics')
      return text
    })
    const well = await inspected()
    expect(well).toMatchObject({ code: 0, stderr: '' })
    expect(well.stdout).toMatch(/pod webhook-1: until \S+, signed by ([0-9a-f]{16}), trusted/)
    expect(well.stdout).toContain('nothing is wrong')
    const other = anAuthority('theirs')
    const bundled = JSON.stringify(kube.configuration())
    kube.others.set(CONFIGURATION, () => {
      const encoded = Buffer.from(other.cert).toString('base64')
      const changed: unknown = JSON.parse(
        bundled.replaceAll(/"caBundle":"[^"]*"/g, `"caBundle":"${encoded}"`),
      )
      return isObject(changed) ? changed : {}
    })
    const wrong = await inspected()
    expect(wrong.code).toBe(1)
    expect(wrong.stdout).toContain('vouches for pod webhook-1: calls to it fail')
    expect(wrong.stdout).toContain('  do: ')
  })

  test('that somebody else has put into the Secret takes the place without a restart', async () => {
    const replica = await start('--leaf-lifetime=15s', '--ca-lifetime=45s')
    const other = anAuthority('theirs')
    const encoded = (text: string): string => Buffer.from(text).toString('base64')
    await fetch(`${kube.url}/api/v1/namespaces/outrigger-system/secrets/outrigger-ca`, {
      method: 'PATCH',
      body: JSON.stringify({
        metadata: objectAt(kube.secret(), 'metadata'),
        data: { 'ca.crt': encoded(other.cert), 'ca.key': encoded(other.key) },
      }),
    })
    while ((await call(replica, other.cert)) !== undefined) {
      expect(await call(replica, bundle())).toBeUndefined()
      await after(CALL_MS)
    }
    expect(bundle()).toContain(other.cert.trim())
  })
})

describe('a mounted certificate', () => {
  /** As a kubelet does: a directory of the version, and a link that is swapped to it. */
  const mount = (version: string, { cert, key }: Issued): string => {
    const folder = join(directory, 'tls')
    mkdirSync(join(folder, version), { recursive: true })
    writeFileSync(join(folder, version, 'tls.crt'), cert)
    writeFileSync(join(folder, version, 'tls.key'), key)
    symlinkSync(version, join(folder, '..next'))
    renameSync(join(folder, '..next'), join(folder, '..data'))
    return folder
  }
  const linked = (folder: string): void => {
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name))
  }

  test('serves, is read again as it changes, and neither Secret nor caBundle is touched', async () => {
    const by = anAuthority()
    const folder = mount('..1', issue({ names: [SERVICE], by }))
    linked(folder)
    const replica = await start(`--cert-dir=${folder}`)
    expect(await call(replica, by.cert)).toBeUndefined()
    const before = await end(replica)
    mount('..2', issue({ names: [SERVICE], by, untilMs: 3 * 86_400_000 }))
    while ((await end(replica)) === before) {
      expect(await call(replica, by.cert)).toBeUndefined()
      await after(CALL_MS)
    }
    expect(await call(replica, by.cert)).toBeUndefined()
    // A key of another certificate changes nothing.
    mount('..3', { ...issue({ names: [SERVICE], by }), key: by.key })
    await after(3000)
    expect(await call(replica, by.cert)).toBeUndefined()
    expect(kube.writes).toEqual([])
  })

  test('that is not there, or has ended, is no way to start, with words', async () => {
    await expect(start(`--cert-dir=${directory}/none`)).rejects.toThrow(/tls\.crt: there is no/)
    const folder = mount('..1', issue({ names: [SERVICE], untilMs: -1000, fromMs: -9000 }))
    linked(folder)
    await expect(start(`--cert-dir=${folder}`)).rejects.toThrow(/has expired/)
  })
})
