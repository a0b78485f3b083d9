// The control socket between sidecar and shim: what a child left behind keeps nobody from starting, who speaks
// otherwise than a shim is put out, and no child ever becomes the peer.

import { aBudget } from '../../support/budgets.ts'
import { watchedProcesses } from '../../support/watched-processes.ts'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Control } from '../../../sidecar/server/control.ts'
import type { Peer } from '../../../sidecar/server/connection.ts'
import { makePipesFolder } from '../../../sidecar/server/control-socket.ts'
import { FakeShim } from '../../support/fake-shim.ts'
import { keptLog, type KeptLog } from '../../support/kept-log.ts'
import { buildShim, compileFixture } from '../../support/shim.ts'
import { frame } from '../../support/shim-frame.ts'
import { asUser, IS_ROOT, OWN_UID, SERVER_UID, SIDECAR_UID } from '../../support/users.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'

const PROGRAMS = mkdtempSync(join(tmpdir(), 'control-programs-'))
chmodSync(PROGRAMS, 0o755)
const CLOSE_ORDER = compileFixture('close-order', PROGRAMS)
const HOSTILE = compileFixture('hostile', PROGRAMS)
afterAll(() => rmSync(PROGRAMS, { recursive: true }))

const testTwoUsers = IS_ROOT ? test : test.skip
const sidecarUid = IS_ROOT ? SIDECAR_UID : OWN_UID
const serverUid = IS_ROOT ? SERVER_UID : OWN_UID

let runDir: string
let kept: KeptLog

beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'control-test-'))
  // As an emptyDir of medium Memory is.
  chmodSync(runDir, 0o1777)
  kept = keptLog()
})
afterEach(() => rmSync(runDir, { recursive: true }))

const path = (): string => join(runDir, 'control')

describe('a pipes folder of an earlier run', () => {
  const make = (): void => asUser(sidecarUid, () => makePipesFolder(runDir, kept.log))
  const pipes = (): string => join(runDir, 'pipes')
  const own = (): string => join(pipes(), 'own')
  const target = (): string => join(runDir, 'target')

  const withFolder = (mode: number): void => {
    mkdirSync(join(own(), 'in'), { recursive: true })
    writeFileSync(join(own(), 'file'), 'text')
    chmodSync(own(), mode)
  }

  testTwoUsers.each<[string, leave: () => void, isLeft: boolean]>([
    ['nothing', () => undefined, false],
    ['a file', () => writeFileSync(own(), 'text', { mode: 0o600 }), false],
    ['a FIFO', () => void execFileSync('mkfifo', ['-m', '600', own()]), false],
    ['an empty folder', () => mkdirSync(own()), false],
    ['a folder that everybody may empty', () => withFolder(0o777), false],
    ['a folder that others may only read', () => withFolder(0o755), true],
    ['a folder that others may not even read', () => withFolder(0o700), true],
    ['a link to a folder of the sidecar’s', () => symlinkSync(target(), own()), false],
  ])(
    'in which a child has left %s: a new one is made (takes two users)',
    (_name, leave, isLeft) => {
      asUser(sidecarUid, () => mkdirSync(target()))
      asUser(sidecarUid, () => writeFileSync(join(target(), 'kept'), ''))
      make()
      asUser(serverUid, leave)
      make()
      const { mode, uid } = statSync(pipes())
      expect([mode & 0o7777, uid, readdirSync(pipes())]).toEqual([0o1733, sidecarUid, []])
      const aside = readdirSync(runDir).filter((name) => name.startsWith('pipes.'))
      expect([aside.length, kept.lines.length]).toEqual(isLeft ? [1, 1] : [0, 0])
      expect(readdirSync(target())).toEqual(['kept'])
    },
  )
})

const terminating = frame(0x88, Buffer.from([0, 0, 0, 9]))

describe('a socket', () => {
  let control: Control
  let shim: FakeShim
  let heard: string[]
  let refusal: string | undefined

  const admit = ({ uid, landlockAbi }: Peer): string | undefined => {
    heard.push(`hello of ${uid} with ${landlockAbi}`)
    return refusal
  }

  beforeEach(async () => {
    const noted: string[] = []
    heard = noted
    refusal = undefined
    control = new Control({
      runDir,
      budget: aBudget(),
      log: kept.log,
      newName: () => 'f'.repeat(32),
      schedule: () => () => undefined,
      admit,
      onTerminating: (leftMs) => noted.push(`terminating in ${leftMs}`),
      onPeer: (peer) => noted.push(peer ? 'there' : 'gone'),
      onExit: (code) => noted.push(`exit ${code}`),
      watch: watchedProcesses().watch,
    })
    // It binds before it waits for anything, and the name is its user's.
    await asUser(sidecarUid, () => control.listen())
    shim = new FakeShim(runDir)
  })
  afterEach(() => asUser(sidecarUid, () => control.close()))

  const dial = async (): Promise<Socket> => {
    const socket = connect(path())
    await once(socket, 'connect')
    return socket
  }

  const hello = (): Buffer => shim.hello()

  test.each<[string, said: () => readonly Buffer[], why: string]>([
    [
      'of another protocol',
      () => [shim.hello({ version: 2 })],
      'it speaks control protocol 2, not 3',
    ],
    [
      'of an older one, whose hello is short',
      () => [frame(0x81, Buffer.from([0, 2, 0, 0, 0, 7, 6, 0]))],
      'it speaks control protocol 2, not 3',
    ],
    ['not admitted', () => [hello()], 'refused by the test'],
    ['that speaks before its hello', () => [terminating], 'it spoke before its hello'],
    ['that says hello twice', () => [hello(), hello()], 'it said hello twice'],
    ['that sends an unknown frame', () => [hello(), frame(0x70)], 'it sent unknown frame type 112'],
    ['that sends no frame', () => [Buffer.alloc(8)], 'it sent a frame of 0 bytes'],
  ])('puts a peer out %s, says why, and takes the next', async (name, said, why) => {
    refusal = name === 'not admitted' ? 'refused by the test' : undefined
    const socket = await dial()
    socket.write(Buffer.concat(said()))
    await readAll(socket)
    await until(() => kept.lines.length > 0, 'the reason is logged')
    // What it has said makes no message of its own: there are as many as it likes, and a log tells kinds by them.
    expect(kept.lines.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ message: 'the shim was refused', why }),
    )
    await until(() => !control.isReady, 'it has been let go')
    refusal = undefined
    const next = await dial()
    next.write(hello())
    await until(() => control.isReady, 'the next is taken')
    next.destroy()
  })

  test('keeps the first peer where a second comes, and tells what it says', async () => {
    const first = await dial()
    first.write(hello())
    await until(() => control.isReady, 'the first is taken')
    await readAll(await dial())
    expect(control.isReady).toBe(true)
    first.end(terminating)
    await until(() => !control.isReady, 'it has gone')
    expect(heard).toEqual(['hello of 7 with 6', 'there', 'terminating in 9', 'gone'])
  })

  // Who connects without a pause has filled the queue before the shim is in it, and never says who he is.
  test('takes the shim while others connect without end', async () => {
    const user = IS_ROOT ? { uid: serverUid, gid: serverUid } : {}
    const words = ['flood-control', runDir, '3']
    const flood = spawn(HOSTILE, words, { stdio: ['ignore', 'pipe', 'inherit'], ...user })
    const running = [flood]
    try {
      const { stdout } = flood
      if (!(stdout instanceof Socket)) throw new Error('a pipe is a socket')
      expect(await readLine(stdout)).toBe('trying')
      const serve = ['serve', '--run', runDir, '--', '/bin/true']
      // What is killed leaves its own folder behind.
      const env = { ...process.env, TMPDIR: runDir }
      running.push(
        spawn(buildShim('all'), serve, { stdio: ['ignore', 'pipe', 'inherit'], env, ...user }),
      )
      await until(() => control.isReady, 'the shim is taken')
    } finally {
      const ended = running.map((one) => once(one, 'close'))
      for (const one of running) one.kill('SIGKILL')
      await Promise.all(ended)
    }
  })

  // A shim whose connection has dropped kills every child before anything else: a name that is free earlier could
  // be a child's while the shim is still served. What watches can miss the wrong order, hence the repetition.
  test.each([...Array(10).keys()])('ends the connection before its name is free (%s)', async () => {
    const watching = spawn(CLOSE_ORDER, [path()], { stdio: ['ignore', 'pipe', 'inherit'] })
    const stdout = watching.stdout
    if (!(stdout instanceof Socket)) throw new Error('a pipe is a socket')
    expect(await readLine(stdout)).toBe('taken')
    asUser(sidecarUid, () => control.close())
    expect(await readAll(stdout)).toBe('the connection\n')
    expect(existsSync(path())).toBe(false)
  })

  testTwoUsers.each([...Array(5).keys()])(
    'closes although a child takes the name at once (%s; takes two users)',
    async () => {
      const imitator = spawn(HOSTILE, ['imitate-sidecar', runDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
        uid: serverUid,
        gid: serverUid,
      })
      const ended = once(imitator, 'close')
      try {
        const { stdout } = imitator
        if (!(stdout instanceof Socket)) throw new Error('a pipe is a socket')
        expect(await readLine(stdout)).toBe('trying')
        asUser(sidecarUid, () => control.close())
        await until(
          () => statSync(path(), { throwIfNoEntry: false })?.uid === serverUid,
          'it is taken',
        )
      } finally {
        imitator.kill('SIGKILL')
        await ended
      }
    },
  )
})
