// What a confined process may reach, and what it can't by any way that a hostile program has: the shim's part of it.
// The stranger is this process, on loopback. Each way is tried without the shim too: one that reaches nobody by itself
// would prove nothing.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { ExecProcess } from '../../support/exec-process.ts'
import { ticksOf } from '../../support/proc.ts'
import { BUILDS, buildShim } from '../../support/shim.ts'
import { Stranger } from '../../support/stranger.ts'
import { IS_ROOT } from '../../support/users.ts'

const REFUSED = 'refused: Connection refused'
const DENIED = 'refused: Permission denied'
const NO_PROTOCOL = 'refused: Protocol not supported'
const NO_FAMILY = 'refused: Address family not supported by protocol'
const NOT_SUPPORTED = 'refused: Operation not supported'

interface Row {
  readonly way: string
  readonly enforced: string
  readonly observed: string
  /** By itself: it is reached, or why not. */
  readonly alone: string
}

const row = (way: string, enforced: string, observed = 'reached', alone = 'reached'): Row => ({
  way,
  enforced,
  observed,
  alone,
})
const never = (way: string, says: string, alone = 'reached'): Row => row(way, says, says, alone)

const WAYS: readonly Row[] = [
  row('direct', REFUSED),
  row('nonblocking', REFUSED),
  row('mapped', REFUSED),
  row('by-nobodys-address', REFUSED),
  row('bound-before', REFUSED),
  row('disconnected', REFUSED),
  row('with-own-descriptors', REFUSED),
  row('handed-over', REFUSED),
  row('by-a-fork', REFUSED),
  row('changing-address', DENIED),
  row('changing-socket', DENIED),
  row('by-path', DENIED),
  row('by-a-link', DENIED),
  row('from-its-folder', DENIED),
  never('by-proc', DENIED),
  never('by-fast-open', NOT_SUPPORTED),
  never('by-fast-message', NOT_SUPPORTED),
  never('by-fast-messages', NOT_SUPPORTED),
  never('by-fast-option', NOT_SUPPORTED),
  never('multipath', NO_PROTOCOL),
  row('udp', DENIED),
  row('udp-of-ipv6', DENIED),
  row('netlink-of-sockets', NO_PROTOCOL),
  never('vsock', NO_FAMILY),
  never('undumpable', DENIED),
]

// The kernel itself refuses these to whoever has no capability, or to anybody here.
const HARMLESS: readonly Row[] = [
  row('ping', NO_PROTOCOL, 'refused: Permission denied'),
  never('raw', NO_PROTOCOL),
  never('packet', NO_FAMILY),
  never('sctp', NO_PROTOCOL),
  never('by-io-uring', 'refused: Function not implemented'),
  never('x32-entry-point', 'refused: Function not implemented'),
  never('own-filter', 'refused: Device or resource busy'),
  never('tracing-the-shim', 'refused: Operation not permitted'),
  never('shims-memory', DENIED),
  never('shims-descriptors', 'refused: Operation not permitted'),
]

const KEPT: readonly Row[] = [
  never('own-loopback', 'kept: its own port'),
  never('own-loopback-of-a-fork', "kept: its fork's port"),
  never('waiting-connect', 'kept: connected after a while, others at once'),
  never('options-before', 'kept: options 1 1, on exec 1'),
  never('all-options-before', 'kept: all 14'),
  never('all-options-before-bind', 'kept: all 14'),
  never('options-set-twice', 'kept: the last of them, 50'),
  never('twice', 'kept: connected once'),
  never('own-unix', 'kept: its own file'),
  never('own-abstract', 'kept: its own name'),
  never('dead-port', REFUSED),
  never('routes', 'kept: routes'),
]

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('a hostile client (takes root)', () => {
  let program: string
  let stranger: Stranger
  let tried: ExecProcess | undefined

  beforeAll(async () => {
    stranger = new Stranger()
    program = stranger.program('hostile-client')
    await stranger.listen()
  })
  afterEach(async () => {
    await tried?.close()
    tried = undefined
  })
  afterAll(() => stranger.close())

  // What it says, and whether the stranger was reached meanwhile.
  const run = async (way: string, binary?: string, mode = 'enforce'): Promise<string> => {
    stranger.reached = 0
    tried = new ExecProcess({
      command: [program, way, `${stranger.port}`, stranger.path],
      ...(binary === undefined ? { isBare: true } : { binary, flags: ['--egress', mode] }),
    })
    return tried.line()
  }

  test.each(WAYS)('without the shim $way reaches the stranger', async ({ way, alone }) => {
    expect(await run(way)).toBe(alone)
  })

  describe.each(BUILDS)('%s build', (_build, target) => {
    test.each([...WAYS, ...HARMLESS])('enforce: $way', async ({ way, enforced }) => {
      expect(await run(way, buildShim(target))).toBe(enforced)
      expect(stranger.reached).toBe(0)
    })

    test.each([...WAYS, ...HARMLESS])('observe: $way', async ({ way, observed }) => {
      expect(await run(way, buildShim(target), 'observe')).toBe(observed)
    })

    test.each(KEPT)('enforce: $way works', async ({ way, enforced }) => {
      expect(await run(way, buildShim(target))).toBe(enforced)
      expect(stranger.reached).toBe(0)
    })

    test('a connection that was waited for costs nothing afterwards', async () => {
      await run('waiting-stay', buildShim(target))
      const before = ticksOf(tried?.pid ?? 0)
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect(ticksOf(tried?.pid ?? 0) - before).toBeLessThan(10)
    })

    test('a link that changes leads nobody to the stranger', async () => {
      expect(await run('changing-link', buildShim(target))).toBe(DENIED)
      expect(stranger.reached).toBe(0)
    })
  })
})
