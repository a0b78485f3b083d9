// Servers of five languages that bind as servers do, under the shim and under what a container's runtime refuses:
// each is found on loopback, on the ports that it asked for, and by nobody in another pod. Takes root; what takes a
// compiler that is not here is skipped by name.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExecProcess } from '../../support/exec-process.ts'
import { PodNetwork, POD_IPV4, POD_IPV6 } from '../../support/pod-network.ts'
import { compileFixture, hasProgram } from '../../support/shim.ts'
import { IS_ROOT } from '../../support/users.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/listeners')

// Where IPv4 is served, also by a socket of both families; and where only IPv6 is.
const FOUR = '127.0.0.1'
const BOTH = '::ffff:7f00:1'
const SIX = '::1'

interface Language {
  readonly name: string
  readonly takes: string
  /** Makes the program in a folder; its command. */
  readonly build: (folder: string) => readonly string[]
  /** Where it listens, `PORT ADDRESS`, in order. */
  readonly listens: readonly string[]
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'Go',
    takes: 'go',
    build: (folder) => {
      execFileSync('go', ['build', '-o', join(folder, 'go'), join(FIXTURES, 'listener.go')])
      return [join(folder, 'go')]
    },
    listens: [`8001 ${BOTH}`, `8002 ${FOUR}`, `8003 ${SIX}`, `8004 ${FOUR}`, `8005 ${FOUR}`],
  },
  {
    name: 'Node',
    takes: 'node',
    build: () => [process.execPath, join(FIXTURES, 'listener.js')],
    listens: [
      `8001 ${BOTH}`,
      `8002 ${FOUR}`,
      `8003 ${SIX}`,
      `8004 ${FOUR}`,
      `8005 ${BOTH}`,
      `8006 ${BOTH}`,
    ],
  },
  {
    name: 'Node with workers that listen themselves',
    takes: 'node',
    build: () => [
      'env',
      'NODE_CLUSTER_SCHED_POLICY=none',
      process.execPath,
      join(FIXTURES, 'listener.js'),
    ],
    listens: [
      `8001 ${BOTH}`,
      `8002 ${FOUR}`,
      `8003 ${SIX}`,
      `8004 ${FOUR}`,
      `8005 ${BOTH}`,
      `8006 ${BOTH}`,
    ],
  },
  {
    name: 'Python',
    takes: 'python3',
    build: () => ['python3', join(FIXTURES, 'listener.py')],
    listens: [
      `8001 ${FOUR}`,
      `8002 ${FOUR}`,
      `8002 ${SIX}`,
      `8003 ${BOTH}`,
      `8004 ${FOUR}`,
      `8005 ${FOUR}`,
      `8006 ${FOUR}`,
      `8006 ${FOUR}`,
      `8007 ${FOUR}`,
    ],
  },
  {
    name: 'Java',
    takes: 'javac',
    build: (folder) => {
      execFileSync('javac', ['-d', folder, join(FIXTURES, 'Listener.java')])
      return ['java', '-cp', folder, 'Listener']
    },
    listens: [`8001 ${BOTH}`, `8002 ${BOTH}`, `8003 ${BOTH}`, `8004 ${BOTH}`, `8005 ${BOTH}`],
  },
  {
    name: 'Rust',
    takes: 'rustc',
    build: (folder) => {
      execFileSync('rustc', ['-o', join(folder, 'rust'), join(FIXTURES, 'listener.rs')])
      return [join(folder, 'rust')]
    },
    listens: [`8001 ${BOTH}`, `8002 ${FOUR}`, `8003 ${SIX}`, `8004 ${FOUR}`, `8005 ${FOUR}`],
  },
]

// What a sidecar does: the port that every server has, at the pod's own addresses.
const SIDECAR = `const { createServer } = require('node:net')
const hosts = process.argv.slice(1)
let left = hosts.length
for (const host of hosts) {
  createServer((socket) => socket.end()).listen(8001, host, () => --left || console.log('up'))
}`

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('a server (takes root)', () => {
  let folder: string
  let network: PodNetwork
  let inContainer: string
  let running: ExecProcess | undefined
  let sidecar: ExecProcess | undefined

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'listeners-'))
    chmodSync(folder, 0o755)
    network = new PodNetwork('servers')
    inContainer = compileFixture('in-container', folder)
  })
  afterEach(async () => {
    await running?.close()
    await sidecar?.close()
    running = sidecar = undefined
  })
  afterAll(() => {
    network.close()
    rmSync(folder, { recursive: true })
  })

  const start = async (command: readonly string[]): Promise<string> => {
    running = new ExecProcess({ wrapper: [...network.enterPod, inContainer], command })
    return running.line()
  }

  const listens = (): string[] =>
    network
      .listeners()
      .map(({ port, address }) => `${port} ${address}`)
      .toSorted()

  // Whoever dials loopback as the sidecar does: one family, then the other.
  const dialLoopback = (port: number): Promise<string[]> =>
    Promise.all(['127.0.0.1', '::1'].map((address) => network.dialFromPod(address, port)))
  const dialPod = (port: number): Promise<string[]> =>
    Promise.all([POD_IPV4, POD_IPV6].map((host) => network.dialFromOther(host, port)))

  for (const { name, takes, build, listens: expected } of LANGUAGES) {
    const testLanguage = hasProgram(takes) ? test : test.skip

    testLanguage(
      `in ${name} is on loopback, and the sidecar takes its port (takes ${takes})`,
      async () => {
        const command = build(folder)
        expect(await start(command)).toBe('ready')
        expect(listens()).toEqual(expected)
        for (const port of new Set(expected.map((line) => Number(line.split(' ')[0])))) {
          expect(await dialLoopback(port)).toContain('reached')
          expect(await dialPod(port)).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
        }
        sidecar = new ExecProcess({
          wrapper: network.enterPod,
          isBare: true,
          command: [process.execPath, '-e', SIDECAR, POD_IPV4, POD_IPV6],
        })
        expect(await sidecar.line()).toBe('up')
        expect(await dialPod(8001)).toEqual(['reached', 'reached'])
      },
    )
  }
})
