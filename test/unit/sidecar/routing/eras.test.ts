// What a server speaks, found out with as few processes as can be, one after the other: each row is a server, what its
// processes are sent, and what is concluded.

import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { ok, type Result } from '../../../../shared/result.ts'
import {
  IN_DOUBT,
  LEGACY,
  probesOf,
  type Eras,
  type ProbeOptions,
} from '../../../../sidecar/routing/eras.ts'
import type { Fault } from '../../../../sidecar/mcp/faults.ts'
import type { Link } from '../../../../sidecar/server/link.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'
import { FakeLink } from '../../../support/fake-link.ts'

/** What a process does with a request: answers with a result or an error, ends, or nothing. */
type Act = {
  readonly result?: string
  readonly error?: number
  readonly exit?: true
  readonly afterMs?: number
}
type Behaviour = { readonly discover?: Act; readonly initialize?: Act }

const STARTUP_MS = 60_000
const DISCOVERED = '{"supportedVersions":["2026-07-28","2027-01-01"]}'
const GREETED = '{"protocolVersion":"2025-11-25","capabilities":{}}'

class Server extends FakeLink {
  private readonly behaviour: Behaviour
  constructor(behaviour: Behaviour) {
    super()
    this.behaviour = behaviour
  }

  override send(...message: Parameters<FakeLink['send']>): Fault | undefined {
    const unsent = super.send(...message)
    const id = /"id":(\d+)/.exec(message[0])?.[1]
    const act = message[0].includes('server/discover')
      ? this.behaviour.discover
      : this.behaviour.initialize
    if (id !== undefined && act) setTimeout(() => this.act(id, act), act.afterMs ?? 0)
    return unsent
  }

  private act(id: string, { result, error, exit }: Act): void {
    if (exit) this.ends({ message: 'the server exited with code 1', exitCode: 1 })
    else if (result !== undefined) this.says(`{"jsonrpc":"2.0","id":${id},"result":${result}}`)
    else this.says(`{"jsonrpc":"2.0","id":${id},"error":{"code":${error},"message":""}}`)
  }
}

let servers: Server[]

type Ask = (options: ProbeOptions) => Promise<Result<Eras, Fault>>

const probe: Ask = (options) => probesOf(options).probe()
const confirm: Ask = (options) => probesOf(options).confirm()

const run = async (ask: Ask, behaviours: readonly Behaviour[]): Promise<Result<Eras, Fault>> => {
  let last = 100
  servers = []
  const asked = ask({
    source: {
      open: (): Promise<Result<Link, Fault>> => {
        // The one before has been ended: the spawner waits until it has gone.
        expect(servers.every(({ isClosed }) => isClosed)).toBe(true)
        const server = new Server(behaviours[servers.length] ?? {})
        servers.push(server)
        return Promise.resolve(ok(server))
      },
    },
    startupTimeoutMs: STARTUP_MS,
    remarks: keptRemarks(),
    nextId: () => ++last,
    now: () => Date.now(),
  })
  await jest.advanceTimersByTimeAsync(3 * STARTUP_MS)
  return asked
}

/** The same with a server that is known to speak the legacy era alone. */
const ofLegacyOnly: Ask = (options) =>
  probe({ ...options, source: { ...options.source, isLegacyOnly: true } })

const methods = (): readonly string[] =>
  servers.map(({ sent }) =>
    sent
      .map((text) => /"method":"([^"]+)"/.exec(text)?.[1] ?? '')
      .filter((method) => !method.startsWith('notifications/'))
      .join(' '),
  )

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

const MODERN: Eras = { isModern: true, versions: ['2026-07-28', '2027-01-01'], isCertain: true }
const BOTH_ASKED = 'server/discover initialize'

type Row = readonly [
  name: string,
  processes: readonly Behaviour[],
  sent: readonly string[],
  concluded: Eras | string,
]

const EXITS: Behaviour = { discover: { exit: true }, initialize: { result: GREETED } }

const ROWS: readonly Row[] = [
  ['a modern server', [{ discover: { result: DISCOVERED } }], ['server/discover'], MODERN],
  [
    'a modern server that refuses the version',
    [{ discover: { error: -32_022 } }],
    ['server/discover'],
    { ...MODERN, versions: ['2026-07-28'] },
  ],
  ...['{}', '{"content":[]}', '{"supportedVersions":[]}', '{"supportedVersions":"2026-07-28"}'].map(
    (result): Row => [
      `a legacy server that answers what it does not know with ${result}`,
      [{ discover: { result }, initialize: { result: GREETED } }],
      [BOTH_ASKED],
      LEGACY,
    ],
  ),
  [
    'a modern server that takes 40 s to start',
    [
      {
        discover: { result: DISCOVERED, afterMs: 40_000 },
        initialize: { error: -32_600, afterMs: 40_001 },
      },
    ],
    [BOTH_ASKED],
    MODERN,
  ],
  [
    'a modern server that answers out of order',
    [
      {
        discover: { result: DISCOVERED, afterMs: 40_000 },
        initialize: { error: -32_600, afterMs: 34_500 },
      },
    ],
    [BOTH_ASKED],
    MODERN,
  ],
  [
    'a legacy server that does not know the method',
    [{ discover: { error: -32_601 }, initialize: { result: GREETED } }],
    [BOTH_ASKED],
    LEGACY,
  ],
  [
    'a legacy server that wants initialize first, by another error',
    [{ discover: { error: -32_602 }, initialize: { result: GREETED } }],
    [BOTH_ASKED],
    LEGACY,
  ],
  [
    'a legacy server that takes 40 s to start',
    [
      {
        discover: { error: -32_601, afterMs: 40_000 },
        initialize: { result: GREETED, afterMs: 35_001 },
      },
    ],
    [BOTH_ASKED],
    LEGACY,
  ],
  [
    'a legacy server that is silent before initialize',
    [{ initialize: { result: GREETED } }],
    [BOTH_ASKED],
    LEGACY,
  ],
  [
    'a server that answers initialize with an error: it works, and its clients hear why',
    [{ discover: { error: -32_601 }, initialize: { error: -32_602 } }],
    [BOTH_ASKED],
    LEGACY,
  ],
  [
    'a server that exits at what it does not know: no verdict',
    [EXITS, EXITS],
    ['server/discover', 'initialize'],
    IN_DOUBT,
  ],
  [
    'a server that exits at initialize after it was asked something else',
    [{ discover: { error: -32_601 }, initialize: { exit: true } }, EXITS],
    [BOTH_ASKED, 'initialize'],
    IN_DOUBT,
  ],
  [
    'a server that exits whatever it is asked',
    [{ discover: { exit: true } }, { initialize: { exit: true } }],
    ['server/discover', 'initialize'],
    'the server exited with code 1',
  ],
  [
    'a server that never answers',
    [{}],
    [BOTH_ASKED],
    `did not answer initialize within ${STARTUP_MS} ms`,
  ],
]

describe('probe', () => {
  test.each(ROWS)('%s', async (_name, processes, sent, concluded) => {
    const found = await run(probe, processes)
    if (typeof concluded === 'string') {
      expect(found).toMatchObject({
        ok: false,
        error: { message: expect.stringContaining(concluded) },
      })
    } else expect(found).toEqual(ok(concluded))
    expect(methods()).toEqual(sent)
    expect(servers.every(({ isClosed }) => isClosed)).toBe(true)
  })
})

test('of a transport that only the legacy era has nothing else is asked', async () => {
  expect(await run(ofLegacyOnly, [{ initialize: { result: GREETED } }])).toEqual(ok(LEGACY))
  expect(methods()).toEqual(['initialize'])
})

describe('where it matters whether a modern server speaks the legacy era', () => {
  const both: Ask = (options) => probe({ ...options, asksBoth: true })
  const discovers: Behaviour = { discover: { result: DISCOVERED } }
  test.each<[string, Behaviour, boolean]>([
    ['one that answers does', { initialize: { result: GREETED } }, false],
    ['one that refuses does not', { initialize: { error: -32_022 } }, true],
    ['one that exits does not', { initialize: { exit: true } }, true],
    ['one that is silent does not', {}, true],
  ])('%s', async (_name, other, refusesLegacy) => {
    expect(await run(both, [discovers, other])).toEqual(ok({ ...MODERN, refusesLegacy }))
    expect(methods()).toEqual(['server/discover', 'initialize'])
    expect(servers.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('a legacy server is asked nothing more', async () => {
    const legacy = { discover: { error: -32_601 }, initialize: { result: GREETED } }
    expect(await run(both, [legacy])).toEqual(ok(LEGACY))
    expect(methods()).toEqual([BOTH_ASKED])
  })
})

describe('confirm', () => {
  const greets: Behaviour = { initialize: { result: GREETED } }
  test.each([
    ['that exits again, and works without the question, is legacy', [EXITS, greets], LEGACY],
    ['that has had another reason is modern', [{ discover: { result: DISCOVERED } }], MODERN],
    [
      'that answers now is what it says',
      [{ discover: { error: -32_601 }, initialize: { result: GREETED } }],
      LEGACY,
    ],
  ] satisfies (readonly [string, readonly Behaviour[], Eras])[])(
    'a server %s',
    async (_name, processes, concluded) => {
      expect(await run(confirm, processes)).toEqual(ok(concluded))
      expect(servers).toHaveLength(processes.length)
    },
  )

  test('a server that exits whatever it is asked has said nothing about its era', async () => {
    const told = await run(confirm, [EXITS, { initialize: { exit: true } }])
    expect(told).toMatchObject({ ok: false, error: { code: 'server-exited' } })
  })
})
