// `outrigger scan` against a real API server, by a user who may read everything and one who may read one namespace's pods.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createApi, type Json } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { outriggerCommand, type EndedCommand } from '../outrigger-command.ts'
import { serverPod } from '../pods.ts'

const NAMESPACE = 'scanned'

const deployment = (name: string, image: string): Json => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    // Nobody is to run: what is scanned is what stands there.
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image }] },
    },
  },
})

const balancer: Json = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'open' },
  spec: { type: 'LoadBalancer', selector: { app: 'open' }, ports: [{ port: 80 }] },
}

describeOwnCluster('control', 'outrigger scan', (target) => {
  const api = createApi(target.api)

  const scan = (...args: readonly string[]): Promise<EndedCommand> =>
    outriggerCommand(target.kubeconfig, 'scan', ...args)

  beforeAll(async () => {
    await api.createNamespace(NAMESPACE)
    await api.apply(
      [
        deployment('open', 'example.com/mcp/everything:1'),
        deployment('web', 'example.com/web:1'),
        balancer,
      ],
      NAMESPACE,
    )
    const alone = serverPod('alone', { container: { image: 'mcp/memory:1' }, annotations: {} })
    await api.apply([alone], NAMESPACE)
  })
  afterAll(async () => {
    await api.remove(`/api/v1/namespaces/${NAMESPACE}`)
  })

  test('names what looks like an MCP server, what the world reaches first, and the line that opts it in', async () => {
    const { code, stdout, stderr } = await scan('-n', NAMESPACE)
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout).toContain(`${NAMESPACE}: Deployment open: not under Outrigger
  looks like an MCP server: image example.com/mcp/everything:1 (container c)
  reached by: Service open (LoadBalancer), from outside the cluster
  do: kubectl annotate -n ${NAMESPACE} deployment/open outrigger.dev/inject=true
`)
    expect(stdout).not.toContain('web')
    expect(stdout.indexOf('Deployment open')).toBeLessThan(stdout.indexOf('Pod alone'))
  })

  test('reads every namespace', async () => {
    const { stdout } = await scan('-A', '-o', 'json')
    const { found } = JSON.parse(stdout)
    expect(found).toContainEqual(expect.objectContaining({ namespace: NAMESPACE, name: 'open' }))
  })

  test('a namespace that is not there is told, and nothing of it is called right', async () => {
    expect(await scan('-n', 'no-such')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'outrigger scan: there is no namespace no-such\n',
    })
  })
})
