// What a hostile server may try in order to listen where other pods reach it, as a table, in a network
// namespace of its own with another beside it. Each is tried without the shim too: an attack that reaches nobody by
// itself would prove nothing. Takes root.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ExecProcess } from '../../support/exec-process.ts'
import { isLoopback, PodNetwork, POD_IPV4, POD_IPV6 } from '../../support/pod-network.ts'
import { buildShim, BUILDS, compileFixture } from '../../support/shim.ts'
import { IS_ROOT } from '../../support/users.ts'

const PORT = 8080

interface Row {
  readonly attack: string
  /** What it says under the shim; where it listens there, only on loopback. */
  readonly says: RegExp
  /** Which of the pod's addresses it tries. */
  readonly address: string
  /** It reaches nobody by itself either: what it is refused is all there is to see. */
  readonly isHarmlessAlone?: boolean
}

const LISTENS = /^listening \d+$/
const row = (attack: string, says: RegExp = LISTENS, address = POD_IPV4): Row => ({
  attack,
  says,
  address,
})
const harmless = (attack: string, says: RegExp): Row => ({
  ...row(attack, says),
  isHarmlessAlone: true,
})

const ROWS: readonly Row[] = [
  row('any-address', /^listening 8080$/),
  row('any-address-of-ipv6', /^listening 8080$/),
  row('pods-address', /^listening 8080$/),
  row('pods-address', /^listening 8080$/, POD_IPV6),
  row('any-mapped', /^listening 8080$/),
  row('pods-mapped', /^listening 8080$/),
  row('link-local', /^listening 8080$/, 'fe80::2'),
  row('no-family', /^listening 8080$/),
  row('listen-unbound'),
  row('listen-unbound-ipv6'),
  row('any-port'),
  // A port that nobody asked for is not shared between copies of its socket.
  row('any-port-twice', /^refused: Address already in use$/),
  row('disconnected'),
  row('shut-down', /^(listening \d+|refused: .*)$/),
  row('copied-before-bind'),
  row('copied-after-bind', /^listening 8080$/),
  row('by-a-fork'),
  row('handed-over', /^listening 8080$/),
  row('shared-port', /^(listening 8080|refused: Address already in use)$/),
  row('bound-again', /^listening 8080$/),
  row('multipath', /^refused: Protocol not supported$/),
  row('undumpable', /^refused: Permission denied$/),
  row('thread-with-own-descriptors', /^listening 8080$/),
  row('changing-address', /^refused: Permission denied$/),
  row('changing-socket', /^refused: Permission denied$/),
  row('changing-listener', /^refused: Permission denied$/),
  row('changing-ephemeral', /^refused: Permission denied$/),
  row('among-signals', /^listening 8080$/),
  // Without a capability the kernel itself refuses it; the shim does so for whoever has one.
  harmless('raw', /^refused: Protocol not supported$/),
  harmless('by-io-uring', /^refused: Function not implemented$/),
  harmless('own-listener', /^refused: Device or resource busy$/),
  harmless('supervisors-descriptors', /^refused: Operation not permitted$/),
  harmless('x32-entry-point', /^refused: Function not implemented$/),
]

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('a hostile server (takes root)', () => {
  let folder: string
  let program: string
  let withoutFlag: string
  let network: PodNetwork
  let tried: ExecProcess | undefined

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hostile-listener-'))
    chmodSync(folder, 0o755)
    program = compileFixture('hostile-listener', folder)
    withoutFlag = compileFixture('without-filter-flag', folder)
    network = new PodNetwork('hostile')
  })
  afterEach(async () => {
    await tried?.close()
    tried = undefined
  })
  afterAll(() => {
    network.close()
    rmSync(folder, { recursive: true })
  })

  const start = ({ attack, address }: Row, binary?: string): Promise<string> => {
    tried = new ExecProcess({
      wrapper: network.enterPod,
      command: [program, attack, `${PORT}`, address],
      ...(binary === undefined ? { isBare: true } : { binary }),
    })
    return tried.line()
  }

  // By the port that it said, or the one that it tried.
  const dial = (said: string): Promise<string[]> => {
    const port = Number(/\d+$/.exec(said)?.[0] ?? PORT)
    return Promise.all([POD_IPV4, POD_IPV6].map((host) => network.dialFromOther(host, port)))
  }

  test.each(ROWS.filter(({ isHarmlessAlone }) => isHarmlessAlone !== true))(
    'without the shim $attack $address is reached',
    async (each) => {
      const said = await start(each)
      expect(said).toMatch(LISTENS)
      expect(network.listeners().filter((listener) => !isLoopback(listener))).not.toEqual([])
      // Not by the address that needs a scope.
      if (each.attack !== 'link-local') expect(await dial(said)).toContain('reached')
    },
  )

  describe.each(BUILDS)('%s build', (_build, target) => {
    test.each(ROWS)('$attack $address reaches nobody', async (each) => {
      const said = await start(each, buildShim(target))
      expect(said).toMatch(each.says)
      expect(network.listeners().filter((listener) => !isLoopback(listener))).toEqual([])
      expect(await dial(said)).toEqual(['ECONNREFUSED', 'ECONNREFUSED'])
    })

    test.each([15_200, 15_201, 15_202, 15_204])('port %i is nobody’s', async (port) => {
      tried = new ExecProcess({
        binary: buildShim(target),
        wrapper: network.enterPod,
        command: [program, 'any-address', `${port}`],
      })
      expect(await tried.line()).toBe('refused: Address already in use')
    })

    test('signals on a kernel where they interrupt: no bind is done twice', async () => {
      // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, which Linux has since 5.19.
      tried = new ExecProcess({
        binary: buildShim(target),
        wrapper: [...network.enterPod, withoutFlag, '32'],
        command: [program, 'among-signals', `${PORT}`],
      })
      expect(await tried.line()).toBe('listening 8080')
      expect(network.listeners()).toEqual([{ address: '127.0.0.1', port: PORT }])
    })

    test('another machine’s entry point ends the process', async () => {
      tried = new ExecProcess({
        binary: buildShim(target),
        wrapper: network.enterPod,
        command: [program, 'other-entry-point', `${PORT}`],
      })
      // 128 + SIGSYS.
      expect(await tried.exit()).toEqual({ code: 159, signal: null })
    })
  })
})
