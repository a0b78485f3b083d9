// `npm start`: the whole way on this machine, told step by step. A webhook, a Deployment with one annotation, what
// was injected, the pod as processes, a tool called by an ordinary client, then by clients whose users log in.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { createLog, type Log } from '../../shared/log.ts'
import { ok, type Result } from '../../shared/result.ts'
import { readClusterConfig } from '../../webhook/cluster/config.ts'
import { startWebhook } from '../../webhook/embedded.ts'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { fixedNamespaces } from '../../webhook/cluster/namespace.ts'
import { defineCommand, type Io } from '../command/command.ts'
import type { FlagTable, Given } from '../command/flags.ts'
import { localPod, NOTHING_AROUND } from '../dev/local-pod.ts'
import { runPod, type RunningPod } from '../dev/run-pod.ts'
import { templatesIn, type Template } from '../manifest/templates.ts'
import { parsePort } from '../command/port.ts'
import { aborted } from '../command/signal.ts'
import { admitted } from './admitted.ts'
import { callTool } from './call.ts'
import { yamlDiff } from './diff.ts'
import { showIdentity } from './identity.ts'
import { podOf } from './pod-of.ts'
import { submit } from './submit.ts'

const EXAMPLE = 'manifests/examples/everything.yaml'
const CONFIG = 'manifests/overlays/dev/config.yaml'
const inCheckout = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url))

const exampleTemplate = (): Template => {
  const documents = parseAllDocuments(readFileSync(inCheckout(EXAMPLE), 'utf8'))
  const objects = documents.map((document): unknown => document.toJS()).filter(isObject)
  const [template] = objects.flatMap((object) => templatesIn(object))
  if (!template) throw new Error(`${EXAMPLE} has no workload`)
  return template
}

const inject = async (io: Io, log: Log): Promise<JsonObject> => {
  const config = readClusterConfig(readFileSync(inCheckout(CONFIG), 'utf8'))
  if (!config.ok) throw new Error(config.error.join('; '))
  const webhook = await startWebhook({ config: config.value, namespaces: fixedNamespaces([]), log })
  try {
    io.stdout(`1. The webhook listens on ${webhook.url}\n`)
    const pod = podOf(exampleTemplate())
    io.stdout(`2. The pod of ${EXAMPLE} goes there as an AdmissionReview; injected is:\n\n`)
    const after = admitted(pod, await submit({ ...webhook, namespace: 'default', pod }))
    io.stdout(`${yamlDiff(pod, after)}\n\n`)
    return after
  } finally {
    await webhook.close()
  }
}

const say = async (running: RunningPod, io: Io): Promise<void> => {
  io.stdout(`3. The pod runs here: server, shim and sidecar; the MCP endpoint is ${running.url}\n`)
  const { tools, text } = await callTool({
    url: running.url,
    name: 'echo',
    args: { message: 'hello from an ordinary MCP client' },
  })
  io.stdout(
    `4. A client found ${tools.length} tools (${tools.join(', ')}) and called echo:\n   ${text}\n`,
  )
}

const serve = async (isOnce: boolean, port: number, io: Io): Promise<number> => {
  const log = createLog({ level: 'error', write: (line) => io.log(line), now: () => Date.now() })
  const pod = localPod(await inject(io, log), port, NOTHING_AROUND)
  if (!pod.ok) throw new Error(pod.error.join('; '))
  const running = await runPod(pod.value, 'error', io)
  if (running === undefined) return 0
  try {
    await say(running, io)
    if (!io.signal.aborted) await showIdentity(pod.value, io)
    if (isOnce || io.signal.aborted) return 0
    io.stdout(`\nPoint MCP Inspector or any client at ${running.url} (Ctrl-C ends it)\n`)
    const end = await Promise.race([aborted(io.signal), running.over])
    if (end === 'signal') return 0
    io.stderr(`outrigger start: ${end}\n`)
    return 1
  } finally {
    await running.close()
  }
}

interface Flags {
  readonly once: boolean
  readonly port: number
}

const FLAGS = {
  once: { doc: 'end after the call' },
  port: { value: 'N', doc: 'port of the MCP endpoint, 0 for any', default: '0' },
} as const satisfies FlagTable

const readFlags = ({ text, has }: Given): Result<Flags, string> => {
  const port = parsePort('port', text('port') ?? '')
  return port.ok ? ok({ once: has('once'), port: port.value }) : port
}

export const start = defineCommand({
  name: 'start',
  synopsis: '[flags]',
  about:
    "Brings up the admission webhook, submits an annotated Deployment's pod, shows what is injected, runs the pod on\nthis machine, calls a tool, then the same for callers who log in, and stays up for other clients\n(npm start [-- flags]).",
  flags: FLAGS,
  cleansUp: true,
  readFlags,
  run: ({ once, port }, io) => serve(once, port, io),
})
