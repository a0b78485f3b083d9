// The official suite has no authorization scenario for a resource server: those that it has are the ones that our README
// names, and stand under clients and authorization servers.

import { expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

const SUITE = createRequire(import.meta.url).resolve(
  '@modelcontextprotocol/conformance/dist/index.js',
)
const README = new URL('../conformance/README.md', import.meta.url)

/** The names of each kind of scenarios, by the heading that they stand under. */
const scenarios = async (): Promise<ReadonlyMap<string, readonly string[]>> => {
  const { stdout } = await promisify(execFile)(process.execPath, [SUITE, 'list'])
  const parts = stdout.split(/^(\S.*) scenarios \(.*$/m).slice(1)
  const kinds = parts.flatMap((kind, index): [string, readonly string[]][] =>
    index % 2 === 0
      ? [
          [
            kind,
            [...(parts[index + 1] ?? '').matchAll(/^ {2}- (\S+)/gm)].map(([, name = '']) => name),
          ],
        ]
      : [],
  )
  return new Map(kinds)
}

const named = (): readonly string[] => {
  const text = readFileSync(README, 'utf8')
  const [, table = ''] =
    /<!-- authorization:begin -->(.*)<!-- authorization:end -->/s.exec(text) ?? []
  return [...table.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

test('the README names every authorization scenario, and none is for a resource server', async () => {
  const kinds = await scenarios()
  expect([...kinds.keys()]).toEqual(['Server', 'Client', 'Authorization server'])
  const ofServers = kinds.get('Server') ?? []
  expect(ofServers).toContain('server-initialize')
  expect(ofServers.filter((name) => /auth|oauth|token|dpop/i.test(name))).toEqual([])
  const others = [
    ...(kinds.get('Client') ?? []).filter((name) => name.startsWith('auth/')),
    ...(kinds.get('Authorization server') ?? []),
  ]
  expect([...named()].sort()).toEqual(others.sort())
}, 60_000)
