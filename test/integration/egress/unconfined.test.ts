// Every way out of the attack table reaches the far host where nothing confines the server: what could not get out by itself
// would prove nothing where it is stopped (attacks.test.ts). Takes root.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Arena } from '../../support/egress/arena.ts'
import type { Container } from '../../support/egress/container.ts'
import { compileWays } from '../../support/egress/programs.ts'
import type { Row } from '../../support/egress/row.ts'
import { IS_ROOT } from '../../support/users.ts'
import { DIRECT_ROWS } from './direct-rows.ts'
import { PROXY_ROWS } from './proxy-rows.ts'

const WAYS = compileWays()
afterAll(() => WAYS.remove())
const ROWS = [...DIRECT_ROWS, ...PROXY_ROWS].filter(({ proof }) => proof.stage === 'bare')
const possible = ROWS.filter((row) => WAYS.has(row))
const impossible = ROWS.filter((row) => !WAYS.has(row))

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
    await expect(
      arena.prove(row, (command) => containerOf(row).run(command)),
    ).resolves.toBeUndefined()
  })

  if (impossible.length > 0) {
    test.skip.each(impossible)('$name gets out (this machine has no $needs)', () => undefined)
  }
})
