// Who stands at the control socket of a pod: a process that somebody runs in the server's container never does, however it
// hurries while sidecar or container start anew; and the shim always comes back, and confines. Takes root.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { OTHER } from '../../support/egress/addresses.ts'
import { Arena } from '../../support/egress/arena.ts'
import type { EgressPod } from '../../support/egress/egress-pod.ts'
import { FIXTURES } from '../../support/egress/row.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'
import { DECLARED } from './proxy-rows.ts'

const describeAsRoot = IS_ROOT ? describe : describe.skip

/** HELLO's flags: it confines, and (of `exec`) has one command. */
const KINDS = [
  ['stdio', false, 8],
  ['HTTP', true, 12],
] as const

const ENFORCED = 'outrigger_egress_enforcement{state="enforced"} 1'
const PUT_OUT = /^refused: put out [1-9]\d* times$/m
/** The shim comes back every 100 ms. */
const LOST_MS = 300

describeAsRoot.each(KINDS)('a server that speaks %s (takes root)', (_kind, isHttp, flags) => {
  let arena: Arena
  let pod: EgressPod

  beforeEach(async () => {
    arena = await Arena.start('')
    pod = arena.addPod({ mode: 'enforce', egress: DECLARED, isHttp })
    await pod.start()
  })
  afterEach(() => arena.close())

  const beside = async (...words: readonly string[]): Promise<string> =>
    (await pod.container?.run(['python3', `${FIXTURES}ways.py`, ...words])) ?? ''

  const impostor = (seconds: number): Promise<string> =>
    beside('impostor', pod.folder, `${flags}`, `${seconds}`)

  const isConfined = async (): Promise<void> => {
    await pod.ready()
    const session = await pod.session()
    const { text } = await session.run(['python3', `${FIXTURES}ways.py`, 'tcp', OTHER.v4, '8080'])
    expect(text).toMatch(/^refused/m)
    expect((await pod.admin('/metrics')).text).toContain(ENFORCED)
  }

  test('a child’s ports let in the child alone', async () => {
    const session = await pod.session()
    const own = await session.run(['python3', `${FIXTURES}ways.py`, 'own-way-out'])
    expect(own.text).toMatch(/^worked/m)
    // The server's own, where it speaks HTTP.
    expect(await beside('others-ways-out', '3000')).toMatch(/^refused: nobody answers$/m)
  })

  test('nobody while the shim is there', async () => {
    expect(await impostor(0.5)).toMatch(/^refused/m)
    await isConfined()
  })

  test('nobody after the sidecar has restarted', async () => {
    await pod.killSidecar()
    // What the loss ends, it has ended.
    await sleep(LOST_MS)
    const trying = impostor(6)
    await sleep(LOST_MS)
    await pod.startSidecar()
    await isConfined()
    expect(await trying).toMatch(/^refused/m)
  })

  test('nobody who hurries while the shim that is known can’t come', async () => {
    await pod.killSidecar()
    await sleep(LOST_MS)
    const trying = impostor(60)
    await pod.container?.pause()
    await pod.startSidecar()
    await until(() => pod.log.includes('has not shown itself to be'), 'it is put out')
    await sleep(LOST_MS)
    await pod.container?.resume()
    await isConfined()
    expect(await trying).toMatch(PUT_OUT)
  })

  test('the shim of a new container, after the old one’s', async () => {
    await pod.container?.close()
    pod.startContainer()
    await isConfined()
  })

  test('the shim of a new container, where the sidecar is new, too', async () => {
    await pod.killSidecar()
    await pod.container?.close()
    await pod.startSidecar()
    pod.startContainer()
    await isConfined()
  })
})
