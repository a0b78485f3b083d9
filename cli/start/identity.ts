// The same pod once more, for callers who are known: a provider vouches for them, a tool policy says what they may, and a
// client finds its way to a token by itself.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { messageOf } from '../../shared/message.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { Io } from '../command/command.ts'
import type { LocalPod } from '../dev/local-pod.ts'
import { runPod } from '../dev/run-pod.ts'
import { callTool } from './call.ts'
import { personCalled } from './person.ts'
import { startProvider } from './provider.ts'

const ECHO = { name: 'echo', args: { message: 'hello from somebody who is known' } } as const

const policyFor = (issuer: string): string =>
  stringify({
    version: 1,
    rules: [
      {
        name: 'ada-may-echo',
        effect: 'allow',
        who: { principals: [{ issuer, subject: 'ada' }] },
        tools: [ECHO.name],
      },
    ],
  })

const configFor = (config: SidecarConfig, issuer: string, toolPolicy: string): SidecarConfig => ({
  ...config,
  port: 0,
  toolPolicy,
  issuers: [{ url: issuer, hosts: [{ host: new URL(issuer).host, reach: 'loopback' }] }],
  settings: { ...config.settings, auth: 'oidc' },
})

const show = async (url: string, io: Io): Promise<void> => {
  const ada = await callTool({ ...ECHO, url, person: personCalled('ada') })
  io.stdout(
    `6. Ada's client was sent to log in, got a token for this server alone, found ${ada.tools.length} tool (${ada.tools.join(', ')}) and called it:\n   ${ada.text}\n`,
  )
  const eve = await callTool({ ...ECHO, url, person: personCalled('eve') }).then(
    ({ text }) => text,
    (error: unknown) => messageOf(error),
  )
  io.stdout(`7. Eve's client did the same, and her call was refused:\n   ${eve}\n`)
}

/** Shows it, and ends what it has started. */
export const showIdentity = async (pod: LocalPod, io: Io): Promise<void> => {
  const provider = await startProvider()
  const dir = mkdtempSync(join(tmpdir(), 'outrigger-start-'))
  try {
    const policy = join(dir, 'policy.yaml')
    writeFileSync(policy, policyFor(provider.issuer))
    const config = configFor(pod.config, provider.issuer, policy)
    const running = await runPod({ ...pod, config }, 'error', io)
    if (running === undefined) return
    try {
      io.stdout(
        `5. The same pod with auth: oidc is ${running.url}: ${provider.issuer} vouches for callers, and a tool policy lets Ada alone call echo\n`,
      )
      await show(running.url, io)
    } finally {
      await running.close()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
    await provider.close()
  }
}
