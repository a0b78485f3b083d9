// What `outrigger explain` says of an injected pod's surroundings.

import { expect, test } from '@jest/globals'
import {
  callerLines,
  neededLines,
  reachLines,
  validationLines,
} from '../../../../cli/manifest/reach.ts'
import { expectedPod } from '../../../support/golden.ts'

const pod = (name: string) => expectedPod(name) ?? {}

test.each([
  ['pod', '15200: the sidecar, by /mcp'],
  ['tls-secret', '15200: the sidecar, by /mcp, over TLS alone (https://)'],
  ['replicas', '15204: the sidecars of its other replicas alone, for the sessions that are here'],
])('%s is reached by %s', (name, line) => {
  expect(reachLines(pod(name))).toContain(line)
})

test.each([
  [
    'introspection',
    ['https://login.example.com/realms/tools, for https://mcp.example.com/servers/echo'],
  ],
  [
    'svids',
    [
      'JWT-SVIDs of spiffe://example.org/ns/agents/*, for https://mcp.example.com/servers/echo',
      'none, but X.509-SVIDs of spiffe://example.org/ns/agents/*',
    ],
  ],
])('whose tokens let in callers of %s', (name, lines) => {
  expect(callerLines(pod(name))).toEqual(lines)
})

test.each([
  ['pod', []],
  ['tool-policy', ['ConfigMap echo-policy, with policy.yaml']],
  ['tool-lock', ['ConfigMap echo-lock, with lock.yaml']],
  ['tls-secret', ['Secret echo-tls, with tls.crt and tls.key']],
  ['introspection', ['Secret echo-client, with client-id and client-secret']],
  ['service-accounts', []],
  ['replicas', []],
])('the namespace of %s must hold %j', (name, lines) => {
  expect(neededLines(pod(name))).toEqual(lines)
})

test('that arguments are checked is said where they are', () => {
  expect(validationLines(pod('pod'))).toEqual([])
  const text = JSON.stringify(pod('pod'))
  const checked = text.replace(
    String.raw`\"settings\":{`,
    (before) => before + String.raw`\"validate-arguments\":\"true\",`,
  )
  expect(checked).not.toBe(text)
  expect(validationLines(JSON.parse(checked))).toHaveLength(1)
})
