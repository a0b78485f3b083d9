// A hostile server in a real container, restricted as injection makes it: what it tries against its
// siblings, the shim, the sidecar and their files is refused, and a victim beside it lives on.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import {
  callOnce,
  clientPod,
  readyPod,
  serverObjects,
  startClient,
  installOurs,
} from '../mcp-pods.ts'
import { loadClient, loadServer } from '../node-images.ts'

const NAMESPACE = 'hostile'
const CLIENT = { namespace: NAMESPACE, name: 'client' }
const SCRIPT = new URL('../../fixtures/hostile-server.ts', import.meta.url)

const answer = z.object({ siblings: z.number(), outcomes: z.record(z.string(), z.string()) })

describeOwnCluster('full', 'a hostile server', (target) => {
  const kubectl = createKubectl(target)
  let api: Api | undefined
  const url = `http://server.${NAMESPACE}/mcp`

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadServer(target, 'glibc')])
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    const data = { 'server.mts': readFileSync(SCRIPT, 'utf8') }
    await api.apply(
      [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'script' }, data },
        clientPod('client'),
        ...serverObjects('glibc', 'server', {
          container: {
            command: ['node', '--no-warnings', '/app/hostile/server.mts'],
            volumeMounts: [{ name: 'script', mountPath: '/app/hostile', readOnly: true }],
          },
          spec: { volumes: [{ name: 'script', configMap: { name: 'script' } }] },
        }),
      ],
      NAMESPACE,
    )
    await kubectl.ready(NAMESPACE, 'client')
    await readyPod(api, NAMESPACE, 'server')
    await waitFor('the server to be served', async () => {
      const said = await callOnce(target, CLIENT, { era: 'legacy', url, tool: 'echo' })
      return said === 'Echo: alive' ? said : undefined
    })
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('every attack is refused, and the victim beside it never notices', async () => {
    const victim = startClient(target, CLIENT, { era: 'legacy', url, tool: 'wait' })
    const { siblings, outcomes } = await waitFor('an attack with a sibling there', async () => {
      const said = await callOnce(target, CLIENT, { era: 'legacy', url, tool: 'attack' })
      if (said.startsWith('failed')) throw new Error(said)
      const told = answer.parse(JSON.parse(said))
      return told.siblings > 0 ? told : undefined
    })
    expect(siblings).toBeGreaterThan(0)
    const done = Object.entries(outcomes).filter(([, outcome]) => !outcome.startsWith('refused'))
    expect(Object.keys(outcomes).length).toBeGreaterThan(25)
    expect(done).toEqual([])
    expect((await victim.done).map(({ ok }) => ok)).toEqual([true])
    const after = await callOnce(target, CLIENT, { era: 'legacy', url, tool: 'echo' })
    expect(after).toBe('Echo: alive')
  })
})
