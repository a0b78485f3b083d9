// Which sessions of legacy clients are served by what is loaded for that, and what becomes of them where it cannot be.

import { describe, expect, test } from '@jest/globals'
import { ok } from '../../../../shared/result.ts'
import { emulationOf } from '../../../../sidecar/emulation/load-emulation.ts'
import { emulated } from '../../../../sidecar/emulation/start-emulation.ts'
import type { Tenant } from '../../../../sidecar/server/source.ts'
import { aBudget } from '../../../support/budgets.ts'
import { FakeLink } from '../../../support/fake-link.ts'

const TENANT: Tenant = { principal: 'p', idle: undefined, giveUp: () => undefined }

const setUp = (refusesLegacy: boolean | undefined) => {
  const links: FakeLink[] = []
  const loads: (() => Promise<{ readonly emulated: typeof emulated }>)[] = []
  const open = () => {
    const link = new FakeLink()
    links.push(link)
    return Promise.resolve(ok(link))
  }
  const options = {
    source: { open },
    nextId: () => 1,
    now: () => 0,
    budget: aBudget(),
    startupTimeoutMs: 1000,
  }
  const eras = refusesLegacy === undefined ? undefined : { refusesLegacy }
  const known = { eras: () => Promise.resolve(eras), why: 'it ended' }
  const load = () => (loads.shift() ?? (() => Promise.resolve({ emulated })))()
  return { links, loads, source: emulationOf({ 'translate-eras': true }, options, known, load) }
}

describe('a session', () => {
  test('has the process itself where the server knows the legacy era', async () => {
    const { links, source } = setUp(false)
    expect(await source.open(TENANT)).toEqual(ok(links[0]))
  })

  test('has another link where it does not', async () => {
    const { links, source } = setUp(true)
    const link = await source.open(TENANT)
    expect([links.length, link.ok && link.value !== links[0]]).toEqual([1, true])
  })

  test('has none of a server that does not start', async () => {
    const { links, source } = setUp(undefined)
    expect(await source.open(TENANT)).toMatchObject({ error: { code: 'server-not-started' } })
    expect(links).toEqual([])
  })

  test('is told so where that cannot be loaded, has no process, and the next one tries again', async () => {
    const { links, loads, source } = setUp(true)
    const error = Object.assign(new Error('/a/path'), { code: 'EMFILE' })
    loads.push(() => Promise.reject(error))
    const found = await source.open(TENANT)
    expect(found).toMatchObject({ ok: false, error: { code: 'no-capacity' } })
    expect(JSON.stringify(found)).toContain('EMFILE')
    expect(JSON.stringify(found)).not.toContain('/a/path')
    expect(links).toEqual([])
    expect(await source.open(TENANT)).toMatchObject({ ok: true })
  })
})
