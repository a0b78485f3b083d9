// Servers of three languages that speak HTTP, held on loopback beside a sidecar that has their port at the pod's
// addresses: who calls from another pod goes through the sidecar, whatever the server tries. Takes root; what takes a
// compiler that is not here is skipped by name.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeldPod, SERVER_PORT, type HeldPodOptions } from '../../support/held-pod.ts'
import { serverCommand } from '../../support/outrigger-run.ts'
import { isLoopback, PodNetwork, POD_IPV4, POD_IPV6 } from '../../support/pod-network.ts'
import { buildShim, compileFixture, hasProgram } from '../../support/shim.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/http-servers')
const FOREVER = ['sh', '-c', 'exec sleep 1000']
const INITIALIZED =
  /^mcp_server_operation_duration_seconds_count\{mcp_method_name="initialize",gen_ai_tool_name="",error_type=""\} (\d+)$/m
const WEAKENED = /^outrigger_isolation_weakened (\d)$/m

interface Language {
  readonly name: string
  readonly takes: string
  readonly command: (folder: string) => readonly string[]
  readonly path: string
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'Node (server-everything)',
    takes: 'node',
    command: () => serverCommand('@modelcontextprotocol/server-everything', 'streamableHttp'),
    path: '/mcp',
  },
  {
    name: 'Python',
    takes: 'python3',
    command: () => ['python3', join(FIXTURES, 'server.py')],
    path: '/v1',
  },
  {
    name: 'Go',
    takes: 'go',
    command: (folder) => {
      const program = join(folder, 'server')
      execFileSync('go', ['build', '-o', program, join(FIXTURES, 'server.go')])
      return [program]
    },
    path: '/mcp',
  },
]

const SQUAT = `require('node:net').createServer().listen(Number(process.argv[1]), process.argv[2], () => console.log('up'))`

/** Somebody else in the pod who has the port at one of its addresses. */
const spawnSquatter = (network: PodNetwork, port: number) => {
  const [enter = '', ...rest] = network.enterPod
  const words = [...rest, process.execPath, '-e', SQUAT, `${port}`, POD_IPV4]
  const squatter = spawn(enter, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(squatter, 'exit')
  return {
    ready: once(squatter.stdout, 'data'),
    end: async (): Promise<void> => {
      squatter.kill('SIGKILL')
      await gone
    },
  }
}

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('a server that speaks HTTP (takes root)', () => {
  let folder: string
  let network: PodNetwork
  let pod: HeldPod | undefined

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'held-'))
    chmodSync(folder, 0o755)
    network = new PodNetwork('held')
    buildShim('all')
  })
  afterEach(async () => {
    await pod?.close()
    pod = undefined
  })
  afterAll(() => {
    network.close()
    rmSync(folder, { recursive: true })
  })

  const make = (options: Omit<HeldPodOptions, 'network'>): HeldPod =>
    (pod = new HeldPod({ network, ...options, environment: { PORT: `${SERVER_PORT}` } }))
  const isReady = ({ status }: { readonly status: number }): boolean => status === 200
  const open = (): string[] =>
    network
      .listeners()
      .filter((listener) => listener.port === SERVER_PORT && !isLoopback(listener))
      .map(({ address }) => address)
      .toSorted()
  const probe = (...words: string[]): number | null => {
    const [enter = '', ...rest] = network.enterPod
    return spawnSync(enter, [...rest, buildShim('all'), 'probe', ...words]).status
  }

  for (const { name, takes, command, path } of LANGUAGES) {
    const testLanguage = hasProgram(takes) ? test : test.skip

    testLanguage(
      `in ${name} is called through the sidecar, by its own port (takes ${takes})`,
      async () => {
        const running = make({
          command: command(folder),
          document: path === '/mcp' ? {} : { settings: { path } },
        })
        await running.start()
        await running.until(isReady)
        for (const address of [POD_IPV4, POD_IPV6]) {
          for (const known of new Set([path, '/mcp'])) {
            const answer = await running.initialize(address, known)
            expect([answer.status, answer.text.includes('serverInfo')]).toEqual([200, true])
          }
        }
        expect(await running.metric(INITIALIZED)).toBe(path === '/mcp' ? 2 : 4)
        expect(open()).toEqual([POD_IPV4, POD_IPV6])
        const page = await network.askFromOther(`http://${POD_IPV4}:${SERVER_PORT}/healthz`)
        expect([page.status, page.text.includes('the MCP endpoint is /mcp')]).toEqual([404, true])
      },
    )
  }

  test('is called as long as the pod still has callers, also where it ends at SIGTERM', async () => {
    const running = make({
      command: ['python3', join(FIXTURES, 'server.py')],
      document: { settings: { path: '/v1' } },
    })
    await running.start()
    await running.until(isReady)
    const stopped = running.stopContainer()
    await running.until((answer) => !isReady(answer))
    // The lame duck, or behind it a word that sends the caller elsewhere.
    expect((await running.initialize(POD_IPV4)).text).toMatch(/serverInfo|draining/)
    await stopped
  })

  test('is probed on loopback, and what a probe sees nobody else sees', async () => {
    const running = make({
      command: ['python3', join(FIXTURES, 'server.py')],
      document: { settings: { path: '/v1' } },
    })
    await running.start()
    await running.until(isReady)
    expect([probe(`${SERVER_PORT}`, '/healthz'), probe(`${SERVER_PORT}`)]).toEqual([0, 0])
    expect(probe(`${SERVER_PORT}`, '/other')).toBe(1)
    await running.killContainer()
    expect([probe(`${SERVER_PORT}`, '/healthz'), probe(`${SERVER_PORT}`)]).toEqual([1, 1])
  })

  test('that listens on another port is told with its port', async () => {
    const elsewhere = `require('node:http').createServer().listen(3456, () => {})`
    const running = make({ command: [process.execPath, '-e', elsewhere] })
    await running.start()
    const { text } = await running.until((answer) => answer.text.includes('3456'))
    expect(text).toContain(`nothing listens on port ${SERVER_PORT} (ECONNREFUSED)`)
    expect(text).toContain('outrigger.dev/port')
    expect(await network.dialFromOther(POD_IPV4, 3456)).toBe('ECONNREFUSED')
  })

  test('is reached on its other ports where these are carried, and only there', async () => {
    const pages = `for (const port of [9090, 9091]) require('node:http').createServer((request, response) => response.end(port + request.url)).listen(port)`
    const running = make({
      command: [process.execPath, '-e', pages],
      document: { carriedPorts: [9090] },
    })
    await running.start()
    await running.until(({ text }) => text.includes('ECONNREFUSED'))
    for (const address of [POD_IPV4, `[${POD_IPV6}]`]) {
      // The port is carried before the server listens there.
      const text = await until(async () => {
        const answer = await network.askFromOther(`http://${address}:9090/metrics`)
        return answer.status === 200 && answer.text
      }, 'the server serves its other port')
      expect(text).toBe('9090/metrics')
    }
    expect(await network.dialFromOther(POD_IPV4, 9091)).toBe('ECONNREFUSED')
  })

  test('goes on through a restart of the sidecar, and is served again', async () => {
    const running = make({
      command: serverCommand('@modelcontextprotocol/server-everything', 'streamableHttp'),
    })
    await running.start()
    await running.until(isReady)
    await running.killSidecar()
    expect(await network.dialFromOther(POD_IPV4, SERVER_PORT)).toBe('ECONNREFUSED')
    await running.startSidecar()
    await running.until(isReady)
    expect((await running.initialize(POD_IPV4)).status).toBe(200)
  })

  test('is not served while its container restarts, and then again', async () => {
    const running = make({
      command: serverCommand('@modelcontextprotocol/server-everything', 'streamableHttp'),
    })
    await running.start()
    await running.until(isReady)
    await running.killContainer()
    expect((await running.until((answer) => !isReady(answer))).text).toContain('has gone')
    running.startContainer()
    await running.until(isReady)
    expect((await running.initialize(POD_IPV6)).status).toBe(200)
  })

  test('drains the sidecar when its container is asked to end, and not for good', async () => {
    const running = make({
      command: ['python3', join(FIXTURES, 'server.py')],
      document: { settings: { path: '/v1' } },
    })
    await running.start()
    await running.until(isReady)
    await running.stopContainer()
    await running.until(({ text }) => text === 'the sidecar is draining\n')
    running.startContainer()
    await running.until(isReady)
    expect((await running.initialize(POD_IPV4, '/v1')).status).toBe(200)
  })

  test('whose port somebody else has is told, and served once it is free', async () => {
    const squatter = spawnSquatter(network, SERVER_PORT)
    try {
      await squatter.ready
      const running = make({
        command: serverCommand('@modelcontextprotocol/server-everything', 'streamableHttp'),
      })
      await running.start()
      const { text } = await running.until((answer) => answer.text.includes('cannot be taken'))
      expect(text).toContain(`port ${SERVER_PORT} cannot be taken at ${POD_IPV4}: `)
      await squatter.end()
      await running.until(isReady)
      expect(open()).toEqual([POD_IPV4, POD_IPV6])
    } finally {
      await squatter.end()
    }
  })

  // Each with the sidecar's sockets in its way; what they reach without a sidecar, and that they reach somebody
  // without the shim, stands in ../shim/loopback-attacks.test.ts.
  test.each([
    'any-address',
    'any-address-of-ipv6',
    'pods-address',
    'any-mapped',
    'pods-mapped',
    'copied-before-bind',
    'copied-after-bind',
    'by-a-fork',
    'handed-over',
    'shared-port',
    'bound-again',
    'changing-address',
    'changing-socket',
  ])('that is hostile (%s) gets no caller but through the sidecar', async (attack) => {
    const hostile = compileFixture('hostile-listener', folder)
    const running = make({ command: [hostile, attack, `${SERVER_PORT}`, POD_IPV4] })
    await running.start()
    await running.until(({ text }) => !text.includes('not connected yet'))
    expect(open()).toEqual([POD_IPV4, POD_IPV6])
    // The sidecar's own words.
    const { status, text } = await network.askFromOther(`http://${POD_IPV4}:${SERVER_PORT}/`)
    expect([status, text.includes('path-not-found')]).toEqual([404, true])
  })

  describe('where nothing can hold it', () => {
    // SECCOMP_FILTER_FLAG_NEW_LISTENER.
    const onOldKernel = (): readonly string[] => [
      compileFixture('without-filter-flag', folder),
      '8',
    ]

    test('is not started, not ready, and the sidecar says what to do', async () => {
      const running = make({ command: FOREVER, wrapper: onOldKernel() })
      await running.start()
      const { text } = await running.until((answer) => answer.text.includes('not held'))
      expect(text).toContain('it is not started')
      expect(text).toContain('floor.allowAdvisoryIsolation')
      expect(open()).toEqual([POD_IPV4, POD_IPV6])
      expect(running.log).not.toContain('is started without a supervisor')
    })

    test('is started by the floor’s leave, has its port itself, and that is said', async () => {
      const running = make({
        command: serverCommand('@modelcontextprotocol/server-everything', 'streamableHttp'),
        wrapper: onOldKernel(),
        document: { isolation: 'advisory' },
      })
      await running.start()
      const { text } = await running.until(isReady)
      expect(text).toContain('ok, but the server is not held on loopback')
      expect(await running.metric(WEAKENED)).toBe(1)
      expect(running.sidecarLog).toContain('isolation is only advisory')
      const before = await running.metric(INITIALIZED)
      expect((await running.initialize(POD_IPV4)).status).toBe(200)
      expect(await running.metric(INITIALIZED)).toBe(before)
      // And again by a sidecar that finds the port taken.
      await running.killSidecar()
      await running.startSidecar()
      expect((await running.until(isReady)).text).toContain('ok, but the server is not held')
    })
  })
})
