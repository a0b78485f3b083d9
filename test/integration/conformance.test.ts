// The official conformance suite through `outrigger run`, as `npm run conformance` does it: every
// scenario that a revision requires, no exception list.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { score } from '../conformance/report.ts'
import { runSuite } from '../conformance/suite.ts'
import { startOutrigger, type Bridge } from '../support/outrigger-run.ts'

// The suite limits each scenario; this only ends a run that hangs as a whole.
const LIMIT_MS = 600_000

const FIXTURE = fileURLToPath(new URL('../fixtures/conformance-server.ts', import.meta.url))

describe.each([
  {
    server: 'of both eras',
    args: [],
    flags: [],
    suites: [
      { era: 'legacy', of: 30 },
      { era: 'modern', of: 37 },
    ],
  },
  {
    server: 'of the modern era alone',
    args: ['--modern'],
    flags: ['--translate-eras', 'true'],
    suites: [{ era: 'legacy', of: 30 }],
  },
] as const)('official conformance suite, a server $server', ({ args, flags, suites }) => {
  let bridge: Bridge

  beforeAll(async () => {
    bridge = await startOutrigger([process.execPath, FIXTURE, ...args], { flags })
  })

  afterAll(() => bridge.stop())

  test.each(suites)(
    '$era: $of of $of',
    async ({ era, of }) => {
      const result = await runSuite(bridge.url, era, new AbortController().signal)
      const faults = result.scenarios.flatMap((one) =>
        one.notScored === undefined ? one.faults.map((fault) => `${one.name}: ${fault}`) : [],
      )
      expect(faults).toEqual([])
      expect(score(result)).toEqual({ passed: of, of, failed: [] })
    },
    LIMIT_MS,
  )
})
