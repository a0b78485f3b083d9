// Attacks of a hostile child on its siblings, their monitors, the shim and the sidecar, as a table.
// None may work. As root, sidecar and server have users of their own, as in a pod; with one user
// for both, what is marked so is advisory, and skipped.

import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AS_PID_1, buildShim, compileFixture, ShimProcess } from '../../support/shim.ts'
import type { Child, Connection } from '../../support/shim-connection.ts'
import { REASON } from '../../support/shim-frame.ts'
import { childrenOf, isAlive, parentOf } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'
import { IS_ROOT } from '../../support/users.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'hostile-'))
chmodSync(FOLDER, 0o755)
const HOSTILE = compileFixture('hostile', FOLDER)
afterAll(() => rmSync(FOLDER, { recursive: true }))

// What this kernel has; attacks that only a newer Landlock stops are advisory here, and say so.
const LANDLOCK_ABI = Number(execFileSync(HOSTILE, ['landlock-abi'], { encoding: 'utf8' }))

let shim: ShimProcess
let connection: Connection
let victim: Child
let bin: string

const attack = async (...words: readonly string[]): Promise<string> => {
  const child = await connection.run(`exec "$HOSTILE" ${words.join(' ')}`, { HOSTILE })
  const said = (await readAll(child.stdout)).trim()
  await connection.event('gone', child.id)
  return said
}

// Whether the other child, its monitor and the shim still do what they are there for.
const expectHealth = async (): Promise<void> => {
  victim.stdin.write('are you there?\n')
  expect(await readLine(victim.stdout)).toBe('are you there?')
  const next = await connection.run('echo new')
  expect(await readAll(next.stdout)).toBe('new\n')
}

const begin = async (): Promise<void> => {
  shim = new ShimProcess()
  connection = await shim.ready()
  victim = await connection.run('SECRET=$SECRET exec cat', { SECRET: 'x' })
  bin = join(shim.dir, 'bin')
  shim.asSidecar(() => mkdirSync(bin, { mode: 0o755 }))
  shim.asSidecar(() => execFileSync(buildShim('all'), ['copy', bin]))
}

const targets = {
  'a sibling': () => victim.pid,
  'a sibling’s monitor': () => parentOf(victim.pid),
  'the shim': () => shim.pid,
}
const TARGETS = Object.entries(targets)

type Row = readonly [name: string, words: (pid: number) => readonly string[]]

const PROC_ROWS: readonly Row[] = [
  ['open its stdin', (pid) => ['open-proc', `${pid}`, 'fd/0']],
  ['open its stdout', (pid) => ['open-proc', `${pid}`, 'fd/1']],
  ['open a descriptor of its', (pid) => ['open-proc', `${pid}`, 'fd/4']],
  ['list its mapped files', (pid) => ['list-proc', `${pid}`, 'map_files']],
  ['read its environment', (pid) => ['read-proc', `${pid}`, 'environ']],
  ['open its memory', (pid) => ['open-proc', `${pid}`, 'mem']],
  ['open its memory by its thread', (pid) => ['open-proc', `${pid}`, `task/${pid}/mem`]],
  ['read its memory map', (pid) => ['read-proc', `${pid}`, 'maps']],
  ['read its stack', (pid) => ['read-proc', `${pid}`, 'stack']],
  ['read its auxiliary vector', (pid) => ['read-proc', `${pid}`, 'auxv']],
  ['walk into its root', (pid) => ['list-proc', `${pid}`, 'root/']],
  ['walk into its working directory', (pid) => ['list-proc', `${pid}`, 'cwd/']],
  ['follow its descriptor to the file', (pid) => ['read-link', `${pid}`, 'fd/0']],
  ['read what is at a descriptor', (pid) => ['read-proc', `${pid}`, 'fdinfo/0']],
  ['trace it', (pid) => ['trace', `${pid}`]],
  ['read its memory', (pid) => ['read-memory', `${pid}`]],
  ['write its memory', (pid) => ['write-memory', `${pid}`]],
  ['take a descriptor of its', (pid) => ['take-descriptor', `${pid}`, '0']],
]

const SIGNAL_ROWS: readonly Row[] = [
  ['SIGTERM', (pid) => ['signal', `${pid}`, '15']],
  ['SIGKILL', (pid) => ['signal', `${pid}`, '9']],
  ['SIGSTOP', (pid) => ['signal', `${pid}`, '19']],
  ['a question whether it is there', (pid) => ['signal', `${pid}`, '0']],
  ['SIGKILL to its group', (pid) => ['signal-group', `${pid}`, '9']],
  ['SIGKILL to its thread', (pid) => ['signal-thread', `${pid}`, '9']],
  ['SIGKILL by a pidfd', (pid) => ['signal-pidfd', `${pid}`, '9']],
]

describe.each(TARGETS)('on %s', (_target, pid) => {
  beforeEach(begin)
  afterEach(() => shim.close())

  const testLandlock = LANDLOCK_ABI >= 1 ? test : test.skip
  testLandlock.each(PROC_ROWS)('%s (takes Landlock)', async (_name, words) => {
    expect(await attack(...words(pid()))).toMatch(/^refused: /)
    await expectHealth()
  })

  test('take all its CPU time', async () => {
    expect(await attack('change-limit', `${pid()}`)).toBe('refused: Operation not permitted')
    await expectHealth()
  })

  const testScope = LANDLOCK_ABI >= 6 ? test : test.skip
  testScope.each(SIGNAL_ROWS)('%s (takes Landlock ABI 6)', async (_name, words) => {
    expect(await attack(...words(pid()))).toMatch(
      /^refused: (Operation not permitted|No such process)$/,
    )
    await expectHealth()
  })

  testScope('SIGKILL by way of I/O (takes Landlock ABI 6)', async () => {
    // That the kernel is asked is no sin; the victim must not feel it.
    await attack('signal-io', `${pid()}`, '9')
    await expectHealth()
  })
})

describe('on everybody', () => {
  beforeEach(begin)
  afterEach(() => shim.close())

  const testScope = LANDLOCK_ABI >= 6 ? test : test.skip
  testScope.each(['15', '9', '19'])('signal %s (takes Landlock ABI 6)', async (signal) => {
    // It says that it worked, though nobody was there to be reached.
    await attack('signal-everybody', signal)
    await expectHealth()
  })
})

describe('on the files', () => {
  beforeEach(begin)
  afterEach(() => shim.close())

  const pipes = (): string => shim.pipes
  const control = (): string => join(shim.dir, 'control')
  const own = (): string => join(shim.dir, 'own')
  const copied = (): string => join(bin, 'shim')

  test.each<[string, () => readonly string[]]>([
    [
      'open a sibling’s stdin by its name',
      () => ['open-write', join(pipes(), `${victim.name}.in`)],
    ],
    [
      'read a sibling’s stdout by its name',
      () => ['open-read', join(pipes(), `${victim.name}.out`)],
    ],
    ['listen in the place of the sidecar', () => ['bind', control()]],
    ['make a file in its place', () => ['make-file', control()]],
  ])('%s', async (_name, words) => {
    expect(await attack(...words())).toMatch(/^refused: /)
    await expectHealth()
  })

  const testTwoUsers = IS_ROOT ? test : test.skip
  testTwoUsers.each<[string, () => readonly string[]]>([
    ['list the pipes folder', () => ['list-folder', pipes()]],
    ['watch the pipes folder', () => ['watch-folder', pipes()]],
    ['change the mode of the pipes folder', () => ['change-mode', pipes()]],
    ['remove the pipes folder', () => ['unlink', pipes()]],
    ['rename the pipes folder', () => ['rename', pipes(), own()]],
    ['unlink the control socket', () => ['unlink', control()]],
    ['rename the control socket', () => ['rename', control(), own()]],
    ['rename a file over the control socket', () => ['rename-over', control(), own()]],
    ['change the mode of the control socket', () => ['change-mode', control()]],
    ['write to the shim’s file', () => ['open-write', copied()]],
    ['unlink the shim’s file', () => ['unlink', copied()]],
    ['rename the shim’s file', () => ['rename', copied(), own()]],
    ['rename a file over the shim’s file', () => ['rename-over', copied(), own()]],
    ['make a file beside the shim’s', () => ['make-file', join(bin, 'own')]],
    ['change the mode of the shim’s file', () => ['change-mode', copied()]],
  ])('%s (takes two users)', async (_name, words) => {
    expect(await attack(...words())).toMatch(
      /^refused: (Permission denied|Operation not permitted)$/,
    )
    await expectHealth()
  })

  test('write to the binary that runs', async () => {
    expect(await attack('open-write', `/proc/${shim.pid}/exe`)).toMatch(/^refused: /)
    await expectHealth()
  })
})

// A child can't know a name; these rows tell it one, between PIPES and OPENED.
describe('on pipes that are not joined yet, their name betrayed', () => {
  beforeEach(begin)
  afterEach(() => shim.close())

  test.each(
    ['in', 'out'].flatMap((end) => ['file', 'link', 'fifo'].map((kind) => [end, kind] as const)),
  )('swap NAME.%s for a %s: the spawn is refused, nothing is written to it', async (end, kind) => {
    const offer = await connection.offer({ SCRIPT: 'echo into the trap; cat' })
    offer.stdin.write('secret\n')
    expect(await attack('swap', join(shim.pipes, `${offer.name}.${end}`), kind)).toBe('worked')
    connection.send('opened', { child: offer.id })
    const refused = await connection.event('refused', offer.id)
    expect(refused).toMatchObject({ reason: REASON.system })
    expect(refused.text).toContain('the pipes are not what they were')
    expect(readdirSync(shim.pipes)).toEqual([])
    await expectHealth()
  })
})

describe('on the sidecar’s restart', () => {
  beforeEach(begin)
  afterEach(() => shim.close())

  const testTwoUsers = IS_ROOT ? test : test.skip
  testTwoUsers('take the place of its socket: killed before anybody connects', async () => {
    const path = join(shim.dir, 'control')
    const imitator = await connection.run(`exec "$HOSTILE" imitate-sidecar ${shim.dir}`, {
      HOSTILE,
    })
    expect(await readLine(imitator.stdout)).toBe('trying')
    // The worst case: the name is free while the child still lives.
    shim.stopListening()
    await until(() => existsSync(path) && lstatSync(path).uid === shim.uid, 'it is taken')
    connection.socket.destroy()
    await until(() => !existsSync(path), 'the imitation is removed')
    expect(isAlive(imitator.pid)).toBe(false)
    shim.listen()
    connection = await shim.ready()
    victim = await connection.run('exec cat')
    expect(shim.log).toContain(
      '/control was a child’s, not the sidecar’s: removed'.replaceAll('’', "'"),
    )
    await expectHealth()
  })
})

describe('on time: outlive the end', () => {
  beforeEach(begin)
  afterEach(() => shim.close())

  test.each(['running', 'stopped'])('a %s daemon by double fork and setsid', async (kind) => {
    const child = await connection.run(`"$HOSTILE" leave-daemon ${kind}; exec cat`, { HOSTILE })
    const daemon = Number(await readLine(child.stdout))
    expect(isAlive(daemon)).toBe(true)
    await connection.kill(child)
    expect(isAlive(daemon)).toBe(false)
    await expectHealth()
  })

  test.each(['running', 'stopped'])('a %s daemon, and the child ends first', async (kind) => {
    const child = await connection.run(`exec "$HOSTILE" leave-daemon ${kind}`, { HOSTILE })
    const daemon = Number(await readLine(child.stdout))
    await connection.event('gone', child.id)
    expect(isAlive(daemon)).toBe(false)
    await expectHealth()
  })

  // In a PID namespace of its own, for the sake of the machine that tests.
  const testContained = IS_ROOT && LANDLOCK_ABI >= 6 ? test : test.skip
  testContained('a fork bomb (takes root and Landlock ABI 6)', async () => {
    const contained = new ShimProcess(AS_PID_1)
    const control = await contained.ready()
    await contained.alone(childrenOf(contained.pid)[0])
    const other = await control.run('exec cat')
    const bomb = await control.run('exec "$HOSTILE" fork-bomb 300', { HOSTILE })
    await readLine(bomb.stdout)
    await until(() => contained.processes().length > 100, 'it has gone off')
    await control.kill(bomb)
    expect(contained.processes()).toHaveLength(4)
    expect(childrenOf(childrenOf(contained.pid)[0] ?? 0)).toHaveLength(1)
    other.stdin.end('still here')
    expect(await readAll(other.stdout)).toBe('still here')
    await contained.close()
  })
})
