// The attack table: a hostile server under enforcement, in a pod of its own with all the world beside it, tries every way out, and the
// far host's packet capture is the judge: nothing reaches it. What asks the proxy is on record. Each row is shown to be a way
// out where nothing stops it (unconfined.test.ts, and below). Takes root.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Arena } from '../../support/egress/arena.ts'
import type { Container } from '../../support/egress/container.ts'
import type { EgressPod, EgressPodOptions, PodSession } from '../../support/egress/egress-pod.ts'
import { breachesOf } from '../../support/egress/breaches.ts'
import { compileWays } from '../../support/egress/programs.ts'
import type { RecordOf, Row } from '../../support/egress/row.ts'
import { IS_ROOT } from '../../support/users.ts'
import { DIRECT_ROWS } from './direct-rows.ts'
import { POD_ROWS } from './pod-rows.ts'
import { DECLARED, PROXY_ROWS } from './proxy-rows.ts'
import { TUNNEL_ROWS } from './tunnel-rows.ts'
import { until } from '../../support/waiting.ts'

const WAYS = compileWays()
afterAll(() => WAYS.remove())

const TABLE = [...DIRECT_ROWS, ...PROXY_ROWS, ...TUNNEL_ROWS, ...POD_ROWS]
const ROWS = TABLE.filter((row) => WAYS.has(row))
const isProvenBy = (stage: Row['proof']['stage']) => (row: Row) => row.proof.stage === stage

const describeAsRoot = IS_ROOT ? describe : describe.skip

describe('the table', () => {
  // So many of each must be possible on the machine that tries them; which a kernel lacks, unconfined.test.ts names.
  test.each([
    ['c', 60],
    ['python', 100],
    ['node', 10],
  ])('has ways in %s, %i at least', (language, least) => {
    expect(ROWS.filter((row) => row.language === language).length).toBeGreaterThanOrEqual(least)
  })

  test('tries each way once', () => {
    const lines = TABLE.map(({ language, words }) => [language, ...words].join(' '))
    expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([])
  })

  const BELOW_TCP = 'udp ping raw-ping raw-packet packet packet-cooked vsock sctp mptcp'.split(' ')
  const BY_NAME = 'dns-udp dns-tcp resolve ask lookup connect'.split(' ')
  test.each([...BELOW_TCP, ...BY_NAME])('tries %s', (way) => {
    expect(TABLE.map(({ words }) => words[0])).toContain(way)
  })
})

interface Play {
  readonly arena: Arena
  readonly pod: EgressPod
  /** The hostile one's. */
  readonly session: PodSession
  readonly container: Container
}

/** A pod with an accomplice in it, and two sessions: another child is there. */
const startPlay = async (
  mode: 'observe' | 'enforce',
  more: Pick<EgressPodOptions, 'capability' | 'isHttp'> = {},
): Promise<Play> => {
  const arena = await Arena.start(WAYS.folder)
  const pod = arena.addPod({ mode, egress: DECLARED, ...more })
  await pod.start()
  const container = pod.container
  if (!container) throw new Error('a pod has a container')
  await arena.accompliceIn(container)
  await (await pod.session()).run(['true'])
  return { arena, pod, session: await pod.session(), container }
}

const byServer =
  ({ session }: Play) =>
  async (command: readonly string[]): Promise<string> =>
    (await session.run(command)).text

describeAsRoot('in observe, what only the list stops (takes root)', () => {
  let play: Play
  beforeAll(async () => {
    play = await startPlay('observe')
  })
  afterAll(() => play?.arena.close())

  test.each(ROWS.filter(isProvenBy('observe')))('$name gets out', async (row) => {
    await expect(play.arena.prove(row, byServer(play))).resolves.toBeUndefined()
  })
})

describeAsRoot('under enforcement (takes root)', () => {
  let play: Play
  beforeAll(async () => {
    play = await startPlay('enforce')
  })
  afterAll(() => play?.arena.close())

  const recordsFrom = (from: number): readonly unknown[] =>
    play.pod
      .records()
      .filter(({ event }) => event === 'egress')
      .slice(from)

  const expectRecord = async (
    from: number,
    { host, address, ...expected }: RecordOf,
  ): Promise<void> => {
    const destination = {
      ...(host !== undefined && { host }),
      ...(address !== undefined && { address }),
    }
    const wanted = expect.objectContaining({
      ...expected,
      destination: expect.objectContaining(destination),
    })
    const isThere = (): boolean => recordsFrom(from).some((one) => wanted.asymmetricMatch(one))
    // An attempt is on record when it is over.
    await until(isThere, 'it is on record').catch(() => undefined)
    if (!isThere()) expect(recordsFrom(from)).toContainEqual(wanted)
  }

  test.each(ROWS.filter((row) => row.isRaw !== true))('$name reaches nobody', async (row) => {
    const from = recordsFrom(0).length
    const { frames, said } = await play.arena.during(row, byServer(play))
    expect(breachesOf(frames, row)).toEqual([])
    if (row.proof.seen === 'worked') expect(said).toMatch(/^refused/m)
    if (row.record) await expectRecord(from, row.record)
  })

  test.each(ROWS.filter(isProvenBy('enforce')))('$name gets out with credentials', async (row) => {
    await expect(play.arena.prove(row, byServer(play))).resolves.toBeUndefined()
  })

  test.each(ROWS.filter(isProvenBy('beside')))('$name is there', async (row) => {
    const run = (command: readonly string[]): Promise<string> => play.container.run(command)
    await expect(play.arena.prove(row, run)).resolves.toBeUndefined()
  })
})

describeAsRoot('under enforcement, a server that speaks HTTP (takes root)', () => {
  let play: Play
  beforeAll(async () => {
    play = await startPlay('enforce', { isHttp: true })
  })
  afterAll(() => play?.arena.close())

  // It has no children: what listens on loopback beside the sidecar is its own.
  const itsOwn = [...DIRECT_ROWS, ...POD_ROWS].filter(
    (row) => WAYS.has(row) && row.isRaw !== true && row.words[0] !== 'others-ports',
  )
  test.each(itsOwn)('$name reaches nobody', async (row) => {
    const { frames, said } = await play.arena.during(row, byServer(play))
    expect(breachesOf(frames, row)).toEqual([])
    if (row.proof.seen === 'worked') expect(said).toMatch(/^refused/m)
  })
})

describeAsRoot('under enforcement, with CAP_NET_RAW (takes root)', () => {
  let play: Play
  beforeAll(async () => {
    play = await startPlay('enforce', { capability: 'net_raw' })
  })
  afterAll(() => play?.arena.close())

  test.each(ROWS.filter((row) => row.isRaw === true))('$name reaches nobody', async (row) => {
    const { frames } = await play.arena.during(row, byServer(play))
    expect(breachesOf(frames, row)).toEqual([])
  })
})
