// The node itself, before anything of ours is in it: what later tests take for granted.

import { beforeAll, expect, test } from '@jest/globals'
import { at, createApi } from '../api.ts'
import { describeCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'

const NAMESPACE = 'node'

const restricted = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 10_001,
  seccompProfile: { type: 'RuntimeDefault' },
}

const container = (name: string, image: string, more: object = {}): object => ({
  name,
  image: `outrigger.test/${image}:1`,
  imagePullPolicy: 'Never',
  ...more,
})

const pod = (name: string, spec: object): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 0, ...spec },
})

describeCluster('full', 'node', (target) => {
  const api = createApi(target.api)
  const kubectl = createKubectl(target)
  const until = (what: string, path: string, ...steps: (string | number)[]): Promise<unknown> =>
    waitFor(`${path}: ${what}`, async () => {
      const value = at((await api.get(path)).body, ...steps)
      return value === what || (what === '*' && value !== undefined) ? value : undefined
    })
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`

  beforeAll(() => api.createNamespace(NAMESPACE))

  test('resolves a Service by name and reaches its pod', async () => {
    const serve = container('web', 'agnhost', { args: ['netexec', '--http-port=8080'] })
    await api.apply(
      [
        pod('web', { containers: [serve] }),
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'web' },
          spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
        },
        pod('client', { containers: [container('main', 'agnhost', { args: ['pause'] })] }),
      ],
      NAMESPACE,
    )
    await until('Running', `${pods}/web`, 'status', 'phase')
    await until('Running', `${pods}/client`, 'status', 'phase')
    const reached = await waitFor('web to answer', async () => {
      const connect = ['/agnhost', 'connect', '--timeout=2s', `web.${NAMESPACE}:80`]
      const answer = await kubectl.attempt('-n', NAMESPACE, 'exec', 'client', '--', ...connect)
      return answer.code === 0 ? true : undefined
    })
    expect(reached).toBe(true)
  })

  test('applies a restricted security context for real', async () => {
    const look = ['sh', '-c', 'cat /proc/self/status; touch /x || echo read-only']
    const main = container('main', 'busybox', { command: look, securityContext: restricted })
    await api.apply([pod('restricted', { restartPolicy: 'Never', containers: [main] })], NAMESPACE)
    await until('Succeeded', `${pods}/restricted`, 'status', 'phase')
    const log = await kubectl.run('-n', NAMESPACE, 'logs', 'restricted')
    expect(log).toMatch(/^Uid:\t10001\t/m)
    expect(log).toMatch(/^CapEff:\t0000000000000000$/m)
    expect(log).toMatch(/^NoNewPrivs:\t1$/m)
    expect(log).toMatch(/^Seccomp:\t2$/m)
    expect(log).toMatch(/read-only/)
  })

  test('completes a Job beside a native sidecar', async () => {
    await api.apply(
      [
        {
          apiVersion: 'batch/v1',
          kind: 'Job',
          metadata: { name: 'job' },
          spec: {
            template: {
              spec: {
                restartPolicy: 'Never',
                terminationGracePeriodSeconds: 0,
                initContainers: [container('sidecar', 'busybox', { restartPolicy: 'Always' })],
                containers: [container('main', 'busybox', { command: ['true'] })],
              },
            },
          },
        },
      ],
      NAMESPACE,
    )
    const job = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs/job`
    expect(await until('*', job, 'status', 'completionTime')).toEqual(expect.any(String))
  })

  test('kills what passes its memory limit', async () => {
    const main = container('main', 'busybox', {
      command: ['sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'],
      resources: { limits: { memory: '32Mi' } },
    })
    await api.apply([pod('greedy', { restartPolicy: 'Never', containers: [main] })], NAMESPACE)
    const state = ['status', 'containerStatuses', 0, 'state', 'terminated', 'reason'] as const
    expect(await until('OOMKilled', `${pods}/greedy`, ...state)).toBe('OOMKilled')
  })
})
