// Whose a port of loopback is: what a probe reaches that is confined beside a server, in that one's container, and what it does
// not; and how the shim knows its own processes' where the kernel tells nothing of sockets.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ExecProcess, type ExecOptions } from '../../support/exec-process.ts'
import { BUILDS, buildShim } from '../../support/shim.ts'
import { Stranger } from '../../support/stranger.ts'
import { IS_ROOT } from '../../support/users.ts'

const REFUSED = 'refused: Connection refused'
const DENIED = 'refused: Permission denied'

/** Listens at an address, says its port, and stays. */
const SERVER = (address: string, more = ''): readonly string[] => [
  'env',
  'PATH=/usr/local/bin:/usr/bin:/bin',
  'python3',
  '-c',
  `import ctypes, socket, time
${more}
listener = socket.create_server(("${address}", 0))
print(listener.getsockname()[1], flush=True)
time.sleep(1000)`,
]
const UNDUMPABLE = 'ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)'

const describeAsRoot = IS_ROOT ? describe : describe.skip

// The stranger is root's, as the sidecar's sockets are another user's.
describeAsRoot.each(BUILDS)('%s build (takes root)', (_build, target) => {
  let program: string
  let withoutNetlink: string
  let stranger: Stranger
  const running: ExecProcess[] = []

  beforeAll(async () => {
    stranger = new Stranger()
    program = stranger.program('hostile-client')
    withoutNetlink = stranger.program('without-netlink')
    await stranger.listen()
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.close()
  })
  afterAll(() => stranger.close())

  const start = (options: ExecOptions): ExecProcess => {
    const one = new ExecProcess({ binary: buildShim(target), ...options })
    running.push(one)
    return one
  }
  const serve = async (command: readonly string[], options = {}): Promise<string> =>
    start({ command, ...options }).line()

  const probe = (words: readonly string[], options: Partial<ExecOptions> = {}): Promise<string> =>
    start({ flags: ['--egress', 'enforce'], command: [program, ...words], ...options }).line()

  describe('a probe beside a server', () => {
    test.each([
      ['that the shim holds on loopback', '0.0.0.0', {}],
      ['that stands there by itself', '127.0.0.1', { isBare: true }],
    ])('reaches the port of one %s', async (_name, address, options) => {
      const port = await serve(SERVER(address), options)
      expect(await probe(['direct', port, 'x'])).toBe('reached')
    })

    test('reaches nobody else’s on loopback', async () => {
      stranger.reached = 0
      await serve(SERVER('127.0.0.1'))
      expect(await probe(['direct', `${stranger.port}`, stranger.path])).toBe(REFUSED)
      expect(await probe(['by-path', `${stranger.port}`, stranger.path])).toBe(DENIED)
      expect(stranger.reached).toBe(0)
    })

    test('does not reach one that nobody can look into', async () => {
      const port = await serve(SERVER('127.0.0.1', UNDUMPABLE), { isBare: true })
      expect(await probe(['direct', port, 'x'])).toBe(REFUSED)
    })

    test('but the server itself reaches its own processes’ alone', async () => {
      const port = await serve(SERVER('127.0.0.1'), { isBare: true })
      const shim = start({
        flags: ['--egress', 'enforce'],
        hasSidecar: true,
        command: [program, 'direct', port, 'x'],
      })
      const connection = await shim.connection()
      await connection.hello()
      connection.send('confine', { mode: 2 })
      expect(await shim.line()).toBe(REFUSED)
    })
  })

  describe('where the kernel tells nothing of sockets', () => {
    const alone = (way: string): Promise<string> =>
      probe([way, `${stranger.port}`, stranger.path], { wrapper: [withoutNetlink] })

    test.each([
      ['own-loopback', 'kept: its own port'],
      ['own-loopback-of-a-fork', "kept: its fork's port"],
      ['own-unix', 'kept: its own file'],
      ['own-abstract', 'kept: its own name'],
      ['dead-port', REFUSED],
      ['direct', REFUSED],
      ['mapped', REFUSED],
      ['bound-before', REFUSED],
      ['by-path', DENIED],
      ['by-a-link', DENIED],
    ])('%s: %s', async (way, says) => {
      stranger.reached = 0
      expect(await alone(way)).toBe(says)
      expect(stranger.reached).toBe(0)
    })
  })
})
