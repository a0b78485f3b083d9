// MCP over TLS by the certificate of a Secret: called by the Service's name, and a new certificate is shown without a call
// that fails.

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { TLS_DIR } from '../../../shared/names.ts'
import { at, type Api, type Json } from '../api.ts'
import { certificateSecret } from '../certificate-secret.ts'
import { describeOwnCluster } from '../describe-cluster.ts'
import { createKubectl } from '../kubectl.ts'
import { waitFor } from '../machine/waiting.ts'
import { clientPod, installOurs, readyPod, serverObjects } from '../mcp-pods.ts'
import { brought, startsOf } from '../mounted.ts'
import { loadClient, loadServer } from '../node-images.ts'

const NAMESPACE = 'tls'
/** The Service's name is the certificate's, and the Secret's. */
const NAME = `server.${NAMESPACE}`
/** How soon after its files' change a certificate is shown, at the latest. */
const SHOWN_SECONDS = 30

/** Calls again and again over two connections, one of them kept and one new each time, until its stdin ends; a line a call. */
const CALLS = `
const https = require('node:https')
const { createHash } = require('node:crypto')
const [url, ...ca] = process.argv.slice(1)
// A resumed session shows no certificate.
const kept = new https.Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 })
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const call = (agent, method, params) => new Promise((resolve) => {
  const request = https.request(url, { method: 'POST', headers, ca, agent }, (answer) => {
    const { shown } = answer.socket
    headers['mcp-session-id'] ??= answer.headers['mcp-session-id']
    answer.resume().on('end', () => resolve({ status: answer.statusCode, shown }))
  })
  request.on('socket', (socket) => request.reusedSocket || socket.once('secureConnect', () => {
    socket.shown = createHash('sha256').update(socket.getPeerX509Certificate().raw).digest('hex')
  }))
  request.on('error', (error) => resolve({ status: 0, shown: error.message }))
  request.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
})
const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }
const echo = { name: 'echo', arguments: { message: 'hello' } }
let ended = false
process.stdin.resume().on('end', () => { ended = true })
;(async () => {
  // The Service leads to the pod a moment after it is Ready.
  while (!ended && (await call(false, 'initialize', initialize)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  while (!ended) {
    for (const agent of [kept, false]) console.log(JSON.stringify(await call(agent, 'tools/call', echo)))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  kept.destroy()
})()
`

/** `shown`: the digest of the certificate, else what went wrong. */
const callSchema = z.object({ status: z.number(), shown: z.string() })

describeOwnCluster('full', 'MCP over TLS', (target) => {
  const kubectl = createKubectl(target)
  let api: Api
  let pod: Json
  let first: Json
  let second: Json

  const certificateOf = (secret: Json): string => String(at(secret, 'stringData', 'tls.crt'))

  /** Runs in the client's pod, trusting these. */
  const startCalls = (...trusted: readonly Json[]) => {
    const script = ['node', '-e', CALLS, `https://${NAME}/mcp`, ...trusted.map(certificateOf)]
    const child = spawn(
      target.kubectl,
      ['--kubeconfig', target.kubeconfig, '-n', NAMESPACE, 'exec', '-i', 'client', '--', ...script],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const seen: z.output<typeof callSchema>[] = []
    createInterface(child.stdout).on(
      'line',
      (line) => void seen.push(callSchema.parse(JSON.parse(line))),
    )
    const done = new Promise((resolve) => child.once('close', resolve))
    return { seen, stop: () => (child.stdin.end(), done) }
  }

  beforeAll(async () => {
    await Promise.all([loadClient(target), loadServer(target, 'static')])
    api = await installOurs(target)
    await api.createNamespace(NAMESPACE)
    first = await certificateSecret(NAME)
    second = await certificateSecret(NAME)
    const [deployment] = serverObjects('static', 'server', {
      annotations: { 'outrigger.dev/tls-secret': NAME },
    })
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'server' },
      spec: { selector: { app: 'server' }, ports: [{ name: 'mcp', port: 443, targetPort: 'mcp' }] },
    }
    await api.apply([first, clientPod('client'), deployment ?? {}, service], NAMESPACE)
    pod = await readyPod(api, NAMESPACE, 'server')
    await kubectl.ready(NAMESPACE, 'client')
  })

  afterAll(async () => await api?.remove(`/api/v1/namespaces/${NAMESPACE}`))

  test('is served at the Service by the certificate of its Secret', async () => {
    const calls = startCalls(first)
    await waitFor('a call', () =>
      Promise.resolve(calls.seen.some(({ status }) => status === 200) ? true : undefined),
    )
    await calls.stop()
  })

  test('who speaks plain HTTP is told so, and nothing else', async () => {
    const answer = await fetch(`http://${String(at(pod, 'status', 'podIP'))}:15200/mcp`, {
      method: 'POST',
    })
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('this port speaks TLS')
  })

  test('a new certificate in the Secret is shown without a failed call and without a restart', async () => {
    const calls = startCalls(first, second)
    const lastSeen = () => calls.seen.slice(-2).map(({ shown }) => shown)
    const old = await waitFor('calls', () => Promise.resolve(lastSeen()[1]))
    await brought(target, { pod, folder: TLS_DIR }, () =>
      kubectl.apply(JSON.stringify({ ...second, metadata: { name: NAME, namespace: NAMESPACE } })),
    )
    const isNew = () => lastSeen().some((shown) => shown !== old)
    await waitFor('it to be shown', () => Promise.resolve(isNew() || undefined), SHOWN_SECONDS)
    await calls.stop()
    expect(calls.seen.length).toBeGreaterThan(20)
    expect(calls.seen.filter(({ status }) => status !== 200)).toEqual([])
    expect(new Set(calls.seen.map(({ shown }) => shown)).size).toBe(2)
    expect(startsOf(await readyPod(api, NAMESPACE, 'server'))).toEqual(startsOf(pod))
  })
})
