// Who may stand at the control socket: the shim, and nobody else who is run in its container, whatever he has read there.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ControlSocket } from '../../../sidecar/server/control-socket.ts'
import { aSecret, FakeShim, helloFrame, leftIn } from '../../support/fake-shim.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { IS_ROOT } from '../../support/users.ts'
import { readAll, until } from '../../support/waiting.ts'

const STRANGER = "it has not shown itself to be the first process of the server's container"
const GREETED = '00000003010003'
const LONG_ENOUGH_MS = 500

let runDir: string
let kept: KeptLog
let socket: ControlSocket
let heard: string[]
let shim: FakeShim
const shims: FakeShim[] = []
const dialled: Socket[] = []

const listen = async (): Promise<void> => {
  // What comes late belongs to no later test.
  const noted = heard
  socket = new ControlSocket({
    runDir,
    log: kept.log,
    admit: () => undefined,
    onAdmitted: ({ uid }) => noted.push(`there: ${uid}`),
    onEvent: () => undefined,
    onLost: () => noted.push('lost'),
  })
  await socket.listen()
}

const aShim = async (): Promise<FakeShim> => {
  const one = new FakeShim(runDir)
  shims.push(one)
  await one.live()
  return one
}

beforeEach(async () => {
  runDir = mkdtempSync(join(tmpdir(), 'proof-'))
  chmodSync(runDir, 0o1777)
  kept = keptLog()
  heard = []
  await listen()
  shim = await aShim()
})
afterEach(async () => {
  socket.close()
  for (const one of dialled.splice(0)) one.destroy()
  for (const one of shims.splice(0)) await one.end()
  rmSync(runDir, { recursive: true })
})

const dial = async (): Promise<Socket> => {
  const one = connect(join(runDir, 'control'))
  one.on('error', () => one.destroy())
  one.on('end', () => one.destroy())
  dialled.push(one)
  await once(one, 'connect')
  return one
}

const say = async (hello: Buffer): Promise<Socket> => {
  const one = await dial()
  one.write(hello)
  return one
}

/** One that is put out: all that it was told. */
const refused = async (hello: Buffer): Promise<string> =>
  Buffer.from(await readAll(await say(hello)), 'latin1').toString('hex')

const isThere = (times: number): Promise<unknown> =>
  until(() => heard.filter((line) => line.startsWith('there')).length === times, 'it is admitted')
const isLost = (times: number): Promise<unknown> =>
  until(() => heard.filter((line) => line === 'lost').length === times, 'it is lost')
const isLeft = (): Promise<string> =>
  until(() => leftIn(runDir) || undefined, 'something is left for a new one')
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LONG_ENOUGH_MS))

/** The sidecar ends and starts anew. */
const restart = async (): Promise<void> => {
  socket.close()
  await isLost(1)
  await listen()
}

test('the shim is who shows what was left for it, and nothing is left after it', async () => {
  const hello = shim.hello({ uid: 9 })
  expect(leftIn(runDir)).toBe('')
  await say(hello)
  await isThere(1)
  expect(heard).toEqual(['there: 9'])
  await aWhile()
  expect(leftIn(runDir)).toBe('')
})

test('what is kept of it is nobody else’s to read, and is not its secret', async () => {
  await say(shim.hello())
  await isThere(1)
  const file = join(runDir, 'known')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'latin1')).toMatch(new RegExp(`^${shim.mark}[0-9a-f]{64}$`))
  expect(readFileSync(file, 'latin1')).not.toContain(shim.secret)
})

describe('is refused before anything of it counts: who shows', () => {
  test.each<[string, () => { secret: string; found: string; mark?: string }]>([
    ['nothing', () => ({ secret: '0'.repeat(32), found: '0'.repeat(32) })],
    ['a secret of its own', () => ({ secret: aSecret(), found: '0'.repeat(32) })],
    ['a guess', () => ({ secret: aSecret(), found: aSecret() })],
    ['nothing at all', () => ({ secret: '', found: '' })],
    ['what was left, and no secret', () => ({ secret: 'x'.repeat(32), found: leftIn(runDir) })],
    [
      'what was left, and a name that is none',
      () => ({ secret: aSecret(), found: leftIn(runDir), mark: '/'.repeat(32) }),
    ],
  ])('%s', async (_name, shown) => {
    expect(await refused(helloFrame({ mark: aSecret(), ...shown() }, { flags: 12 }))).toBe(GREETED)
    expect(heard).toEqual([])
    expect(kept.lines.join()).toContain(STRANGER)
    await say(shim.hello())
    await isThere(1)
  })

  test('one byte of HELLO after the other, in many frames', async () => {
    const guesses = Array.from({ length: 50 }, () =>
      helloFrame({ secret: aSecret(), mark: aSecret(), found: aSecret() }),
    )
    expect(await refused(Buffer.concat(guesses))).toBe(GREETED)
    expect(kept.lines).toHaveLength(1)
  })
})

test('what has served once serves nobody again', async () => {
  const found = leftIn(runDir)
  const first = await say(shim.hello())
  await isThere(1)
  await shim.end()
  first.destroy()
  await isLost(1)
  expect(await isLeft()).not.toBe(found)
  await refused(helloFrame({ secret: aSecret(), mark: aSecret(), found }))
  expect(heard).toEqual(['there: 7', 'lost'])
})

describe.each<[string, () => Promise<void>]>([
  [
    'when its connection has dropped',
    async () => {
      for (const one of dialled.splice(0)) one.destroy()
      await isLost(1)
    },
  ],
  ['when the sidecar has restarted', restart],
])('%s', (_name, drop) => {
  beforeEach(async () => {
    await say(shim.hello())
    await isThere(1)
    await drop()
  })

  test('nothing is left for others while the shim lives, and they are refused', async () => {
    await aWhile()
    expect(leftIn(runDir)).toBe('')
    const other = await aShim()
    expect(await refused(other.hello())).toBe(GREETED)
    await refused(helloFrame({ secret: shim.mark, mark: shim.mark, found: shim.mark }))
    const kept256 = readFileSync(join(runDir, 'known'), 'latin1').slice(32)
    await refused(
      helloFrame({ secret: kept256.slice(0, 32), mark: shim.mark, found: kept256.slice(32) }),
    )
    expect(heard).toEqual(['there: 7', 'lost'])
  })

  test('the shim comes back, by its secret', async () => {
    await say(shim.hello({ uid: 8 }))
    await isThere(2)
    expect(heard.at(-1)).toBe('there: 8')
  })

  test('a new one is known once it has ended', async () => {
    await shim.end()
    await isLeft()
    const next = await aShim()
    await say(next.hello({ uid: 5 }))
    await isThere(2)
    for (const one of dialled.splice(0)) one.destroy()
    await isLost(2)
    await refused(shim.hello())
    await say(next.hello({ uid: 6 }))
    await isThere(3)
    expect(heard.at(-1)).toBe('there: 6')
  })

  test('also where somebody asks of its life, and nobody answers', async () => {
    const asking = Array.from({ length: 20 }, () =>
      connect({ path: `\0outrigger-shim-${shim.mark}` }),
    )
    for (const one of asking) one.on('error', () => undefined)
    await aWhile()
    expect(leftIn(runDir)).toBe('')
    for (const one of asking) one.destroy()
  })
})

test('who only connects keeps nobody out', async () => {
  const silent = await Promise.all(Array.from({ length: 30 }, dial))
  await say(shim.hello())
  await isThere(1)
  for (const one of silent) one.resume()
  await until(() => silent.every(({ closed }) => closed), 'they are put out')
})

test('what was taken and is never shown is replaced after 10 s', async () => {
  const found = leftIn(runDir)
  shim.look()
  await aWhile()
  expect(leftIn(runDir)).toBe('')
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  expect(await isLeft()).not.toBe(found)
})

test('what somebody has written over it is, too', async () => {
  const found = leftIn(runDir)
  writeFileSync(join(runDir, 'proof'), 'x'.repeat(1000))
  await until(() => /^[0-9a-f]{32}$/.test(leftIn(runDir)), 'another one lies there')
  expect(leftIn(runDir)).not.toBe(found)
  const late = await aShim()
  await say(late.hello({ uid: 3 }))
  await isThere(1)
})

describe('does not start', () => {
  const startsAnew = async (): Promise<void> => {
    socket.close()
    await listen()
  }

  test.each(['known', 'proof'])('where somebody has put another %s (takes root)', async (name) => {
    if (!IS_ROOT) return
    chownSync(join(runDir, name), 7, 7)
    await expect(startsAnew()).rejects.toThrow("is somebody else's")
  })

  test('where it cannot read what it has kept', async () => {
    writeFileSync(join(runDir, 'known'), 'x')
    await expect(startsAnew()).rejects.toThrow('create the pod anew')
  })
})
