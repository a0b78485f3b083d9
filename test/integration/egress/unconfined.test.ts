// Every way out of the attack table reaches the far host where nothing confines the server: what could not get out by itself
// would prove nothing where it is stopped (attacks.test.ts). Takes root.

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Arena } from '../../support/egress/arena.ts'
import type { Container } from '../../support/egress/container.ts'
import { compileWays } from '../../support/egress/programs.ts'
import { isSeenIn, type Row } from '../../support/egress/row.ts'
import { IS_ROOT } from '../../support/users.ts'
import { DIRECT_ROWS } from './direct-rows.ts'

jest.setTimeout(120_000)

const WAYS = compileWays()
afterAll(() => WAYS.remove())
const possible = DIRECT_ROWS.filter((row) => WAYS.has(row))
const impossible = DIRECT_ROWS.filter((row) => !WAYS.has(row))

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('without confinement (takes root)', () => {
  let arena: Arena
  let plain: Container
  let raw: Container

  beforeAll(async () => {
    arena = await Arena.start(WAYS.folder)
    plain = arena.idleContainer()
    raw = arena.idleContainer('net_raw')
    await arena.accompliceIn(plain)
  })
  afterAll(() => arena.close())

  const containerOf = ({ isRaw }: Row): Container => (isRaw === true ? raw : plain)

  test.each(possible)('$name gets out', async (row) => {
    const { proof } = row
    const { said, frames } = await arena.during(row, (command) => containerOf(row).run(command))
    const isSeen =
      proof === 'worked' ? /^worked/m.test(said) : frames.some((one) => isSeenIn(proof, one))
    expect(isSeen ? 'out' : `${said}; ${JSON.stringify(frames)}`).toBe('out')
  })

  if (impossible.length > 0) {
    test.skip.each(impossible)('$name gets out (this machine has no $needs)', () => undefined)
  }
})
