// The subcommands, by name. Each is loaded when it is asked for: `inject` needs no MCP client.

import type { Command } from './command/command.ts'
import type { NamedCommand } from './completion/command.ts'

export interface Listed {
  /** One line for the list of commands. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

export const COMMANDS: ReadonlyMap<string, Listed> = new Map([
  [
    'start',
    {
      summary: 'show the whole way: webhook, injection, pod, tool call (npm start)',
      load: async () => (await import('./start/start.ts')).start,
    },
  ],
  [
    'run',
    {
      summary: 'serve a stdio command over HTTP on this machine',
      load: async () => (await import('./run/run.ts')).run,
    },
  ],
  [
    'dev',
    {
      summary: 'run an annotated manifest on this machine, without a cluster',
      load: async () => (await import('./dev/dev.ts')).dev,
    },
  ],
  [
    'inject',
    {
      summary: 'inject the sidecar into a manifest, as the webhook would',
      load: async () => (await import('./manifest/command.ts')).inject,
    },
  ],
  [
    'uninject',
    {
      summary: 'take the sidecar out of a manifest again',
      load: async () => (await import('./manifest/command.ts')).uninject,
    },
  ],
  [
    'images',
    {
      summary: 'read from registries what pod specs leave to their images',
      load: async () => (await import('./images/command.ts')).images,
    },
  ],
  [
    'explain',
    {
      summary: 'say which settings hold, where they stand and what injection would change',
      load: async () => (await import('./manifest/command.ts')).explain,
    },
  ],
  [
    'check',
    {
      summary: 'say what admission would deny in manifests, by the rules too, for CI',
      load: async () => (await import('./check/command.ts')).check,
    },
  ],
  [
    'scan',
    {
      summary: 'find MCP servers in a cluster that are not under Outrigger, and who reaches them',
      load: async () => (await import('./scan/command.ts')).scan,
    },
  ],
  [
    'status',
    {
      summary: 'list the workloads under Outrigger: their sidecars, and what these were told',
      load: async () => (await import('./status/command.ts')).status,
    },
  ],
  [
    'doctor',
    {
      summary: 'say what is wrong with Outrigger in a cluster, and what to do',
      load: async () => (await import('./doctor/command.ts')).doctor,
    },
  ],
  [
    'policy',
    {
      summary: 'try a tool policy: whether a call is allowed, who can, what is amiss',
      load: async () => (await import('./policy/command.ts')).policy,
    },
  ],
  [
    'tools',
    {
      summary: 'write down what a server lists, and say later what has changed',
      load: async () => (await import('./tools/command.ts')).tools,
    },
  ],
  [
    'audit',
    {
      summary: 'say whether audit files are as the sidecar wrote them',
      load: async () => (await import('./audit/command.ts')).audit,
    },
  ],
  [
    'egress',
    {
      summary: 'turn what servers were seen to reach into what they declare',
      load: async () => (await import('./egress/command.ts')).egress,
    },
  ],
  [
    'certs',
    {
      summary: 'say whom API servers trust, by what the webhook serves, and what is wrong with it',
      load: async () => (await import('./certs/command.ts')).certs,
    },
  ],
  [
    'completion',
    {
      summary: 'print what makes bash, zsh or fish complete all this',
      load: async () => (await import('./completion/command.ts')).completionOf(loadAll),
    },
  ],
])

const loadAll = (): Promise<readonly NamedCommand[]> =>
  Promise.all(
    [...COMMANDS]
      .filter(([name]) => name !== 'completion')
      .map(async ([name, { summary, load }]) => ({ name, summary, command: await load() })),
  )
