// A server that writes where nothing can be written: the pod's own Event says where, and by which annotation it may.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { at, list, type Api } from '../api.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { waitFor } from '../machine/waiting.ts'
import { installOurs, isReady, podsOf, serverObjects } from '../mcp-pods.ts'
import { loadServer } from '../node-images.ts'

const NAMESPACE = 'denied-writes'

/** Makes a folder for its data, and serves. */
const SERVER = `
require('node:fs').mkdirSync('/srv/data', { recursive: true })
process.argv[2] = 'stdio'
import('/app/node_modules/@modelcontextprotocol/server-everything/dist/index.js')
`

describeOwnCluster('full', 'a server that writes to its root file system', (target) => {
  let api: Api

  const deploy = (name: string, annotations: Readonly<Record<string, string>>) =>
    api.apply(
      serverObjects('glibc', name, { annotations, container: { command: ['node', '-e', SERVER] } }),
      NAMESPACE,
    )

  const untilReady = (name: string) =>
    waitFor(`${name} to be Ready`, async () => {
      const [pod] = await podsOf(api, NAMESPACE, name)
      return isReady(pod) ? true : undefined
    })

  beforeAll(async () => {
    await loadServer(target, 'glibc')
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('is not Ready, and an Event of its pod names the path and the annotation', async () => {
    await deploy('denied', {})
    const said = await waitFor('an Event of the probe', async () => {
      const { body } = await api.get(`/api/v1/namespaces/${NAMESPACE}/events`)
      const messages = list(body, 'items').map((event) => String(at(event, 'message')))
      const found = messages.find((message) => message.includes('/srv/data'))
      if (found === undefined) throw new Error(messages.join('\n'))
      return found
    })
    expect(said).toMatch(
      /Readiness probe failed: .*it could not make \/srv\/data: .*name the directory in outrigger\.dev\/writable-paths/,
    )
    const [pod] = await podsOf(api, NAMESPACE, 'denied')
    expect(isReady(pod)).toBe(false)
  })

  test('is Ready once the annotation names its directory', async () => {
    await deploy('allowed', { 'outrigger.dev/writable-paths': '/srv' })
    expect(await untilReady('allowed')).toBe(true)
  })
})
