// The words from the wire that labels may hold; every other is `_OTHER`.

import { FAULTS } from '../mcp/faults.ts'

/** Stands for every word from the wire that is not in its known set. */
export const OTHER = '_OTHER'

export const METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/update',
  'tasks/cancel',
])

/** What a request may fail with: the conventions' words, our own faults, and the error codes of the protocol. */
export const ERROR_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(FAULTS),
  'tool_error',
  'timeout',
  'cancelled',
  'server_exited',
  'server_failed',
  '-32700',
  '-32600',
  '-32601',
  '-32602',
  '-32603',
  '-32000',
  '-32001',
  '-32002',
  '-32020',
  '-32021',
  '-32022',
  '-32042',
])
