// A server that writes where nothing can be written: the pod's own Event says where, and by which annotation it may. And one
// that could write, and may not: by Landlock, under RuntimeDefault's filter.

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

/** Serves where it may write in what is declared and its own place, and nowhere else; else ends, and says by its code why. */
const kept = (transport: 'stdio' | 'streamableHttp', mode: 'kept' | 'free'): string => `
const fs = require('node:fs')
const refusedAt = (place) => {
  try {
    fs.writeFileSync(place + '/planted', 'x')
  } catch (error) {
    return error.code
  }
}
const places = ['/srv', process.env.TMPDIR ?? '/tmp', '/dev/shm', ...('${transport}' === 'stdio' ? ['/tmp'] : [])]
const refused = places.map(refusedAt).map((code) => code ?? 'no')
const expected = places.map((_, at) => ('${mode}' === 'kept' && at > 1 ? 'EACCES' : 'no'))
if (refused.join() !== expected.join()) {
  console.error(refused.join())
  process.exit(9)
}
process.argv[2] = '${transport}'
import('/app/node_modules/@modelcontextprotocol/server-everything/dist/index.js')
`

/** Where server-everything listens. */
const HTTP_PORT = 3001

describeOwnCluster('full', 'a server that writes to its root file system', (target) => {
  let api: Api

  const deploy = (name: string, annotations: Readonly<Record<string, string>>) =>
    api.apply(
      serverObjects('glibc', name, { annotations, container: { command: ['node', '-e', SERVER] } }),
      NAMESPACE,
    )

  const deployKept = (name: string, transport: 'stdio' | 'http', mode: 'kept' | 'free') =>
    api.apply(
      serverObjects('glibc', name, {
        annotations: {
          'outrigger.dev/writable-paths': '/srv',
          'outrigger.dev/transport': transport,
          ...(mode === 'kept' && { 'outrigger.dev/file-writes': 'declared' }),
        },
        container: {
          command: ['node', '-e', kept(transport === 'http' ? 'streamableHttp' : 'stdio', mode)],
          ...(transport === 'http' && { ports: [{ containerPort: HTTP_PORT }] }),
        },
      }),
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

  test.each(['stdio', 'http'] as const)(
    'over %s writes everywhere that it may by its user, and with file-writes: declared only there',
    async (transport) => {
      await deployKept(`free-${transport}`, transport, 'free')
      await deployKept(`kept-${transport}`, transport, 'kept')
      expect(await untilReady(`free-${transport}`)).toBe(true)
      expect(await untilReady(`kept-${transport}`)).toBe(true)
    },
  )
})
