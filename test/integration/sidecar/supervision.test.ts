// The control socket of a server that is held on loopback: what the sidecar makes of what the shim says, whoever says it.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UNCONFINED } from '../../../sidecar/server/control-frame.ts'
import { COMMAND, type Outfitter } from '../../../sidecar/server/outfit.ts'
import { Supervision } from '../../../sidecar/server/supervision.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { frame } from '../../support/shim-frame.ts'
import { readAll, until } from '../../support/waiting.ts'

const SECRET = Buffer.from('5e'.repeat(16))
const HELD = frame(0x89, Buffer.concat([Buffer.from([1, 1]), SECRET]))
const unheld = (why: string): Buffer =>
  frame(0x89, Buffer.concat([Buffer.from([1, 0]), SECRET, Buffer.from(why)]))
const SPAWNED = frame(0x83, Buffer.from([0, 0, 0, 0, 0, 0, 0, 9]))
const ENDED = frame(0x86, Buffer.from([0, 0, 0, 0, 0, 3]))
const TERMINATING = frame(0x88, Buffer.from([0, 0, 0, 9]))
const CHILDS = [
  frame(0x82, Buffer.alloc(4)),
  frame(0x85, Buffer.alloc(8)),
  frame(0x87, Buffer.alloc(4)),
]
// What the shim hears: HELLO, and START.
const GREETED = '00000003010003'
const STARTED = '0000000106'
const EXIT = '000000020500'

let runDir: string
let kept: KeptLog
let supervision: Supervision | undefined
let heard: string[]
let shim: FakeShim

const hello = (uid = 7): Buffer => shim.hello({ uid, flags: 4 })

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'supervision-'))
  kept = keptLog()
  heard = []
  shim = new FakeShim(runDir)
})
afterEach(() => {
  supervision?.close()
  rmSync(runDir, { recursive: true })
})

const listen = async (isAdvisory: boolean, outfitter?: Outfitter): Promise<void> => {
  // What comes late belongs to no later test.
  const noted = heard
  const note = (text: string): void => void noted.push(text)
  supervision = new Supervision({
    runDir,
    log: kept.log,
    admit: ({ uid }) => (uid === 7 ? undefined : 'it is a stranger'),
    weaknessOf: () => undefined,
    calls: () => [],
    isAdvisory,
    outfitter,
    hold: async (isHeld) => {
      await Promise.resolve()
      note(isHeld ? 'ports are taken' : 'ports are left')
    },
    onRunning: (weakness) => note(`runs${weakness === undefined ? '' : `, but ${weakness}`}`),
    onGone: (why) => note(`gone: ${why}`),
    onTerminating: (leftMs) => note(`ends in ${leftMs}`),
  })
  await supervision.listen()
}

const dial = async (): Promise<Socket> => {
  const socket = connect(join(runDir, 'control'))
  await once(socket, 'connect')
  return socket
}

/** What comes of a connection that says this and is closed; and what it was told. */
const afterSaying = async (...frames: readonly Buffer[]): Promise<string> => {
  const socket = await dial()
  let told = ''
  socket.on('data', (bytes: Buffer) => (told += bytes.toString('hex')))
  socket.write(Buffer.concat(frames))
  await until(() => told.startsWith(GREETED), 'HELLO has come')
  socket.end()
  await once(socket, 'close')
  return told
}

const UNHELD =
  'the server is not held on loopback, so that it can be reached around the sidecar (no such flag)'
const GONE = "gone: the shim in the server's container has gone"

const outfitterThat = (does: Partial<Outfitter>): Outfitter => ({
  refusal: () => undefined,
  met: () => undefined,
  fit: () => Promise.resolve(UNCONFINED),
  holdsBack: () => false,
  handed: () => undefined,
  fitCommand: () => Promise.resolve(UNCONFINED),
  gone: () => undefined,
  attempted: () => undefined,
  led: () => undefined,
  ...does,
})

describe('a server is served', () => {
  test('when it is held and runs', async () => {
    await listen(false)
    expect(await afterSaying(hello(), HELD, SPAWNED)).toBe(GREETED)
    expect(heard.toSorted()).toEqual([GONE, 'ports are taken', 'runs'])
  })

  test('and what it tries by itself is heard of', async () => {
    const tried: unknown[] = []
    await listen(false, outfitterThat({ attempted: (attempt) => void tried.push(attempt) }))
    const address = Buffer.concat([Buffer.of(203, 0, 113, 80), Buffer.alloc(12)])
    const event = [Buffer.alloc(4), Buffer.of(2, 1, 4), address, Buffer.of(0, 25), Buffer.alloc(4)]
    await afterSaying(hello(), HELD, SPAWNED, frame(0x8a, Buffer.concat(event)))
    expect(tried).toEqual([
      expect.objectContaining({
        child: 0,
        verdict: 'refused',
        how: 'tcp',
        address: '203.0.113.80',
        port: 25,
      }),
    ])
  })

  test.each([
    ['has ended', [ENDED, ENDED], [COMMAND]],
    // Its shim may come again, and what has passed counts on.
    ['is cut off', [], []],
  ])('and what it was given is taken away where it %s', async (_name, frames, taken) => {
    const gone: number[] = []
    await listen(false, outfitterThat({ gone: (child) => void gone.push(child) }))
    await afterSaying(hello(), HELD, SPAWNED, ...frames)
    await until(() => heard.some((line) => line.startsWith('gone')), 'it has gone')
    expect(gone).toEqual(taken)
  })

  test('not before it is known to be held', async () => {
    await listen(false)
    await afterSaying(hello(), SPAWNED)
    expect(heard).toEqual([GONE])
  })

  test('until it ends', async () => {
    await listen(false)
    await afterSaying(hello(), HELD, SPAWNED, TERMINATING, ENDED)
    expect(heard).toContain('ends in 9')
    expect(heard).toContain("gone: the server's container has ended")
  })

  test.each<[string, Buffer, RegExp]>([
    ['which code it left', ENDED, /^gone: the server exited with code 3; .*writable-paths$/],
    ['that it was done', frame(0x86, Buffer.alloc(6)), /^gone: the server exited with code 0$/],
    [
      'which signal ended it',
      frame(0x86, Buffer.from([0, 0, 0, 0, 1, 9])),
      /^gone: the server was ended by SIGKILL$/,
    ],
  ])('and says %s, once, also when the shim has gone', async (_name, end, why) => {
    await listen(false)
    await afterSaying(hello(), HELD, SPAWNED, end, end, ENDED)
    const gone = heard.filter((line) => line.startsWith('gone'))
    expect(gone).toEqual([expect.stringMatching(why), gone[0]])
    expect(kept.lines).toHaveLength(1)
  })

  test.each<[string, readonly Buffer[], string]>([
    ['is told of its end where its container is being stopped', [TERMINATING], GREETED + EXIT],
    ['is told nothing else where we end', [], GREETED],
  ])('and %s', async (_name, frames, told) => {
    await listen(false)
    const socket = await dial()
    let heardThere = ''
    socket.on('data', (bytes: Buffer) => (heardThere += bytes.toString('hex')))
    socket.write(Buffer.concat([hello(), HELD, SPAWNED, ...frames]))
    await until(() => heard.length === 2 + frames.length, 'all of it has been heard')
    const exit = supervision?.exit(0)
    socket.end()
    await Promise.all([exit, once(socket, 'close')])
    expect(heardThere).toBe(told)
  })

  test('and again by the next shim', async () => {
    await listen(false)
    await afterSaying(hello(), HELD, SPAWNED)
    await afterSaying(hello(), HELD, SPAWNED)
    expect(heard.filter((line) => line === 'runs')).toHaveLength(2)
  })

  test('once, however often it is said', async () => {
    await listen(false)
    const many = Array.from({ length: 1000 }, () => [HELD, SPAWNED, unheld('x')]).flat()
    await afterSaying(hello(), ...many)
    expect(heard.toSorted()).toEqual([GONE, 'ports are taken', 'runs'])
    expect(kept.lines).toEqual([])
  })

  test('whatever is said of children', async () => {
    await listen(false)
    await afterSaying(hello(), HELD, ...CHILDS, SPAWNED)
    expect(heard).toContain('runs')
    expect(kept.lines).toEqual([])
  })
})

describe('a server that nothing holds', () => {
  test('is not started, and says why', async () => {
    await listen(false)
    expect(await afterSaying(hello(), unheld('no such flag'), SPAWNED)).toBe(GREETED)
    expect(heard).toEqual([expect.stringContaining(`gone: ${UNHELD}; it is not started`), GONE])
    expect(kept.lines.join()).toContain('floor.allowAdvisoryIsolation')
  })

  test('is started by the floor’s leave, once its port is its own', async () => {
    await listen(true)
    const socket = await dial()
    const told: string[] = []
    socket.on('data', (bytes: Buffer) => told.push(`${heard.join()}${bytes.toString('hex')}`))
    socket.write(Buffer.concat([hello(), unheld('no such flag')]))
    await until(() => told.join('').includes(STARTED), 'START has come')
    expect(told.at(-1)).toBe(`ports are left${STARTED}`)
    socket.write(SPAWNED)
    await until(() => heard.includes(`runs, but ${UNHELD}`), 'it runs')
    socket.destroy()
  })

  test('cannot forge lines by its reason, nor make it long', async () => {
    await listen(false)
    await afterSaying(hello(), unheld(`a\nready\u001b[2J${'x'.repeat(9000)}`))
    expect(heard[0]).toContain('(a ready [2Jxxx')
    expect(heard[0]?.length).toBeLessThan(1000)
  })
})

describe('who else connects', () => {
  test('waits while one is there', async () => {
    await listen(false)
    const first = await dial()
    first.write(Buffer.concat([hello(), HELD]))
    await until(() => heard.length > 0, 'the first is heard')
    expect(await readAll(await dial())).toBe('')
    first.destroy()
  })

  test('a stranger is put out, and that is what readiness says', async () => {
    await listen(false)
    const socket = await dial()
    socket.write(Buffer.concat([hello(8), HELD, SPAWNED]))
    await readAll(socket)
    const why = 'it is a stranger'
    expect(heard).toEqual([`gone: the shim in the server's container was refused: ${why}`])
    expect(kept.lines.join()).toContain(`"message":"the shim was refused","why":"${why}"`)
  })
})
