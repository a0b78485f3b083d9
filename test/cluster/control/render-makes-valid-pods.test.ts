// What render makes, the API server takes. Every pod here is one that the API server takes as it
// is; opted in, it is either injected or denied in our words. A 422 of the API server's own for
// such a pod is a failure of ours.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { at, createApi, list, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { INJECT, serverContainer, serverPod, type PodParts } from '../pods.ts'
import { startWebhook, type WebhookProcess } from '../webhook-process.ts'

const NAMESPACE = 'valid'

const volume = (name: string): Json => ({ name, emptyDir: {} })
const exec = { exec: { command: ['true'] } }
const key = (name: string, value: string): Record<string, string> => ({
  ...INJECT,
  [`outrigger.dev/${name}`]: value,
})

interface Row extends PodParts {
  readonly name: string
  readonly podName?: string
  /** What the denial must say; absent where the pod must be injected. */
  readonly denied?: RegExp
}

const ROWS: readonly Row[] = [
  { name: 'plain' },
  { name: 'args only', container: { command: undefined, args: ['x'] }, denied: /command/ },
  { name: 'command and args', container: { args: ['--stdio', '$(HOME)', '$$(X)'] } },
  {
    name: 'the command annotation',
    container: { command: undefined },
    annotations: key('command', '["a","b"]'),
  },
  { name: 'a bad value', annotations: key('idle-timeout', 'soon'), denied: /idle-timeout.*soon/s },
  { name: 'no container of that name', annotations: key('container', 'none'), denied: /none/ },
  { name: 'a longest name', podName: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}` },
  { name: 'a name of digits and dots', podName: '1.2.3' },
  { name: 'stdin and tty', container: { stdin: true, stdinOnce: true, tty: true } },
  {
    name: 'all probes',
    container: { livenessProbe: exec, readinessProbe: exec, startupProbe: exec },
  },
  { name: 'hooks', container: { lifecycle: { postStart: exec, preStop: exec } } },
  {
    name: 'a preStop that sleeps',
    container: { lifecycle: { preStop: { sleep: { seconds: 3 } } } },
  },
  { name: 'a port', container: { ports: [{ containerPort: 8080 }] } },
  {
    name: 'a port of a stdio server',
    container: { ports: [{ containerPort: 8080 }], stdin: true },
  },
  {
    name: 'a port, one process for all',
    container: { ports: [{ containerPort: 8080, name: 'mcp' }] },
    annotations: key('process-model', 'shared'),
  },
  { name: 'our port', container: { ports: [{ containerPort: 15_200 }] }, denied: /15200/ },
  {
    name: 'the port of http',
    container: { ports: [{ containerPort: 8080 }] },
    annotations: key('transport', 'http'),
  },
  {
    name: 'our container name',
    spec: { containers: [serverContainer({ name: 'outrigger-sidecar' })] },
    denied: /outrigger-sidecar/,
  },
  {
    name: 'our volume name',
    spec: { volumes: [volume('outrigger-bin')] },
    denied: /outrigger-bin/,
  },
  {
    name: 'a mount above our path',
    container: { volumeMounts: [{ name: 'mine', mountPath: '/outrigger' }] },
    spec: { volumes: [volume('mine')] },
    denied: /\/outrigger/,
  },
  {
    name: 'a mount at our path, spelt otherwise',
    container: { volumeMounts: [{ name: 'mine', mountPath: '/x/../outrigger/./bin/' }] },
    spec: { volumes: [volume('mine')] },
    denied: /outrigger/,
  },
  {
    name: 'a /tmp of its own',
    container: { volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] },
    spec: { volumes: [volume('tmp')] },
  },
  {
    name: 'a /tmp/ with a slash, below a subPath',
    container: { volumeMounts: [{ name: 'tmp', mountPath: '/tmp/', subPath: 'a' }] },
    spec: { volumes: [volume('tmp')] },
  },
  {
    name: 'writable paths, one mounted already',
    container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    spec: { volumes: [volume('data')] },
    annotations: key('writable-paths', '/data,/app/cache,/tmp'),
  },
  {
    name: 'writable paths within one another',
    annotations: key('writable-paths', '/a,/a/b,/a/b/c'),
  },
  {
    name: 'a writable path at ours',
    annotations: key('writable-paths', '/outrigger/run'),
    denied: /outrigger\/run/,
  },
  {
    name: 'all the volumes a pod may want',
    spec: { volumes: Array.from({ length: 40 }, (_, index) => volume(`v${index}`)) },
  },
  { name: 'a file for /etc/hosts', spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }] } },
  { name: 'host network', spec: { hostNetwork: true }, denied: /hostNetwork/ },
  { name: 'host pid', spec: { hostPID: true }, denied: /hostPID/ },
  {
    name: 'shared processes',
    spec: { shareProcessNamespace: true },
    denied: /shareProcessNamespace/,
  },
  {
    name: 'privileged',
    container: { securityContext: { privileged: true } },
    denied: /privileged/,
  },
  { name: 'root', container: { securityContext: { runAsUser: 0 } }, denied: /runAsUser/ },
  {
    name: "the sidecar's uid",
    container: { securityContext: { runAsUser: 21_520 } },
    denied: /21520/,
  },
  {
    name: "the sidecar's uid by annotation",
    annotations: key('run-as-user', '21520'),
    denied: /21520/,
  },
  {
    name: 'capabilities',
    container: { securityContext: { capabilities: { add: ['NET_ADMIN'] } } },
    denied: /capabilit/,
  },
  {
    name: 'a writable root',
    container: { securityContext: { readOnlyRootFilesystem: false } },
  },
  {
    name: 'escalation',
    container: { securityContext: { allowPrivilegeEscalation: true } },
    denied: /allowPrivilegeEscalation/,
  },
  {
    name: 'seccomp off',
    spec: { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    denied: /seccomp/,
  },
  { name: 'groups', spec: { securityContext: { fsGroup: 2000, supplementalGroups: [3000] } } },
  { name: 'a Windows pod', spec: { os: { name: 'windows' } }, denied: /indows/ },
  { name: 'a Linux pod', spec: { os: { name: 'linux' } } },
  {
    name: 'an init container and a sidecar of its own',
    spec: {
      initContainers: [
        serverContainer({ name: 'first' }),
        serverContainer({ name: 'theirs', restartPolicy: 'Always' }),
      ],
    },
  },
  { name: 'never restarted', spec: { restartPolicy: 'Never' } },
  { name: 'restarted on failure', spec: { restartPolicy: 'OnFailure', activeDeadlineSeconds: 60 } },
  { name: 'no grace', spec: { terminationGracePeriodSeconds: 0 } },
  { name: 'one second of grace', spec: { terminationGracePeriodSeconds: 1 } },
  { name: 'a day of grace', spec: { terminationGracePeriodSeconds: 86_400 } },
  { name: 'a week of grace', spec: { terminationGracePeriodSeconds: 604_800 } },
  {
    name: 'guaranteed resources',
    container: {
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    },
  },
  {
    name: 'resources of the pod',
    spec: {
      resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    },
  },
  { name: 'tiny resources', container: { resources: { limits: { cpu: '1m', memory: '1Mi' } } } },
  {
    name: 'sidecar request above its limit',
    annotations: key('sidecar-memory-request', '512Mi'),
    denied: /sidecar-memory/,
  },
  { name: 'a sidecar of a fraction', annotations: key('sidecar-cpu-request', '0.05') },
  {
    name: 'resize policies',
    container: { resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }] },
  },
  { name: 'a scheduling gate', spec: { schedulingGates: [{ name: 'example.com/wait' }] } },
  { name: 'its own token setting', spec: { automountServiceAccountToken: true } },
  {
    name: 'a token of its own volume',
    spec: {
      volumes: [
        { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
    },
    container: { volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/own' }] },
  },
  { name: 'user namespaces', spec: { hostUsers: false } },
  {
    name: 'environment',
    container: {
      env: [
        { name: 'A', value: '$(B)' },
        { name: 'B', value: 'b' },
      ],
    },
  },
  {
    name: 'a long public URL',
    annotations: key('public-url', `https://example.com/${'a'.repeat(2000)}`),
  },
  { name: 'a label of ours', labels: { 'outrigger.dev/injected': 'true' } },
  { name: 'a server label of its own', labels: { 'outrigger.dev/server': 'other' } },
  { name: 'a forged status', annotations: key('status', '{"version":1}') },
]

const podOf = ({ name: _name, denied: _denied, podName = 'pod', ...parts }: Row): Json =>
  serverPod(podName, parts)

/** The same pod without anything of ours: what the API server itself thinks of it. */
const withoutKeys = (pod: Json): Json => {
  const metadata = { name: at(pod, 'metadata', 'name') }
  return { ...pod, metadata }
}

describeOwnCluster('control', 'render makes what the API server takes', (target) => {
  const api = createApi(target.api)
  let webhook: WebhookProcess
  beforeAll(async () => {
    webhook = await startWebhook(target, 'overlays/dev')
    await api.createNamespace(NAMESPACE)
  })
  afterAll(() => webhook.close())

  const dryRun = (pod: Json) => api.create(pod, NAMESPACE, '?dryRun=All')

  describe('a pod that is fine without us', () => {
    test.each(ROWS)('$name', async (row) => {
      const pod = podOf(row)
      const alone = await dryRun(withoutKeys(pod))
      expect({ status: alone.status, message: alone.body['message'] }).toEqual({ status: 201 })
      const { status, body } = await dryRun(pod)
      const message = typeof body['message'] === 'string' ? body['message'] : ''
      if (row.denied !== undefined) {
        expect({ status, message }).toEqual({
          status: 403,
          message: expect.stringMatching(row.denied),
        })
        expect(message).toMatch(
          /admission webhook "[a-z]+\.inject\.outrigger\.dev" denied the request/,
        )
        return
      }
      expect({ status, message }).toEqual({ status: 201, message: '' })
      const init = list(body, 'spec', 'initContainers').map((each) => at(each, 'name'))
      expect(init.filter((each) => each === 'outrigger-sidecar')).toHaveLength(1)
    })
  })

  test('names every fault of a pod at once', async () => {
    const { body } = await dryRun(
      serverPod('worst', {
        annotations: { ...key('idle-timeout', 'soon'), 'outrigger.dev/process-model': 'alone' },
        spec: { hostNetwork: true, hostPID: true },
        container: { securityContext: { privileged: true } },
      }),
    )
    for (const word of ['idle-timeout', 'process-model']) expect(body['message']).toMatch(word)
  })
})
