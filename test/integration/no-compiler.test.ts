// A checkout on a machine without a C compiler: what needs no shim works, and what needs it says so in a line.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyCheckout, type CheckoutCopy, type Outcome } from '../support/checkout-copy.ts'

const EXAMPLE = 'manifests/examples/everything.yaml'
const CONFIG = '--config manifests/overlays/dev/config.yaml'

let copy: CheckoutCopy
/** What `npm ci` runs at its end. */
let prepared: Outcome

beforeAll(async () => {
  copy = copyCheckout({})
  prepared = await copy.run('CC=no-such-compiler npm run -s prepare')
})
afterAll(() => copy.close())

test('is installed, and told in a line what is not there', () => {
  expect(prepared).toMatchObject({ code: 0, stdout: '' })
  expect(prepared.stderr).toBe(
    'outrigger: the shim was not built (no-such-compiler not found): run, dev, npm start and most tests need it; inject, uninject, explain and images do not\n',
  )
  expect(existsSync(join(copy.path, 'dist/shim'))).toBe(false)
})

test('a build that was asked for says the same, and fails', async () => {
  const built = await copy.run('CC=no-such-compiler npm run -s build')
  expect(built).toEqual({ ...prepared, code: 1 })
})

test('injects, explains and takes back', async () => {
  const injected = await copy.run(`npx outrigger inject -f ${EXAMPLE} ${CONFIG} | tee injected`)
  expect(injected).toMatchObject({ code: 0 })
  expect(injected.stdout).toContain('initContainers:')
  const back = await copy.run('npx outrigger uninject -f injected')
  expect(back).toMatchObject({
    code: 0,
    stdout: readFileSync(join(copy.path, EXAMPLE), 'utf8'),
  })
  const explained = await copy.run(`npx outrigger explain -f ${EXAMPLE} ${CONFIG}`)
  expect(explained).toMatchObject({ code: 0 })
  expect(explained.stdout).toContain('process-model')
})

describe('what starts servers', () => {
  test.each([
    ['run', 'run --allow-anonymous -- cat'],
    ['dev', `dev -f ${EXAMPLE}`],
  ])('%s says what it needs', async (name, words) => {
    const { code, stdout, stderr } = await copy.run(`npx outrigger ${words}`)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      `outrigger ${name}: the shim is not built, which starts servers: run "npm run build" in the checkout (Linux, a C compiler, make)`,
    )
  })
})
