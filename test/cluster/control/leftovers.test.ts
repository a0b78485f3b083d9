// A killed run leaves nothing that the next one trips over, and two runs don't collide: this test
// runs beside the cluster of its own run.

import { expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeOwnCluster } from '../describe-cluster.ts'
import { isAlive } from '../machine/proc.ts'
import { clusterIds, directoryOf, isLiving, readState, type State } from '../machine/state.ts'
import { removeLeftovers } from '../machine/teardown.ts'
import { waitFor } from '../machine/waiting.ts'

const MAIN = join(import.meta.dirname, '../main.ts')

type Held = State & { readonly holder: NonNullable<State['holder']> }
const isHeld = (state: State | undefined): state is Held => state?.holder !== undefined

/** Starts a command that brings a cluster up, and kills it once the cluster has its namespaces. */
const startAndKill = async (...args: readonly string[]): Promise<Held> => {
  const before = clusterIds()
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' })
  const state = await waitFor('a cluster in the making', async () => {
    const id = clusterIds().find((each) => !before.includes(each))
    const found = id === undefined ? undefined : readState(id)
    return isHeld(found) ? found : undefined
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  return state
}

describeOwnCluster('control', 'leftovers', ({ own }) => {
  test.each([
    { name: 'an up that is killed half way', args: ['up'] },
    { name: 'a test run that is killed', args: ['test', 'no-such-test'] },
  ])('$name is removed by the next run', async ({ args }) => {
    const state = await startAndKill(...args)
    expect(isLiving(state)).toBe(false)
    expect(await removeLeftovers()).toContain(state.id)
    expect(isAlive(state.holder)).toBe(false)
    expect(existsSync(directoryOf(state.id))).toBe(false)
    // The cluster beside it is none of its business.
    expect(existsSync(join(own.dir, 'state.json'))).toBe(true)
  })

  test("a killed test run's processes end with it, before anybody looks", async () => {
    const { id, holder } = await startAndKill('test', 'no-such-test')
    await waitFor('the holder to end', async () => (isAlive(holder) ? undefined : true), 10)
    expect(await removeLeftovers()).toContain(id)
  })
})
