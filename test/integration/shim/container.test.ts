// The shim as PID 1 of a PID namespace of its own, as in a container. Takes root.

import { afterEach, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { kill } from 'node:process'
import { AS_PID_1, BECOME_SERVER, BUILDS, buildShim, ShimProcess } from '../../support/shim.ts'
import { childrenOf, familyOf, innerPidOf, isAlive } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'
import { IS_ROOT } from '../../support/users.ts'

const describeAsRoot = IS_ROOT ? describe : describe.skip

/** The number after this one is the next that the kernel gives. */
const LAST_PID = '/proc/sys/kernel/ns_last_pid'
const testWithNumbers = existsSync(LAST_PID) ? test : test.skip

describeAsRoot.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (flags: readonly string[] = []): ShimProcess =>
    (shim = new ShimProcess({ binary: buildShim(target), flags, ...AS_PID_1 }))
  afterEach(() => shim.close())

  // The shim's pid as this process sees it.
  const pid = (): number => childrenOf(shim.pid)[0] ?? 0

  // Runs a command in the shim's namespace but not under it, as `kubectl exec` does.
  const exec = (command: string, become = BECOME_SERVER.split(' ')): ReturnType<typeof spawn> =>
    spawn('nsenter', [`--target=${pid()}`, '--pid', ...become, 'sh', '-c', command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const ended = (child: ReturnType<typeof spawn>): Promise<number | null> =>
    new Promise((resolve) => child.once('close', resolve))

  test('HELLO says so', async () => {
    const hello = await (await start().connection()).hello()
    expect(hello.flags & 1).toBe(1)
  })

  test('SIGTERM of the runtime, from outside, counts', async () => {
    const connection = await start(['--grace', '20']).ready()
    kill(pid(), 'SIGTERM')
    expect((await connection.event('terminating')).leftMs).toBeLessThanOrEqual(20_000)
    connection.send('exit', { code: 0 })
    expect(await shim.exit()).toEqual({ code: 0, signal: null })
  })

  test.each(['TERM', 'INT', 'HUP', 'KILL', 'STOP', 'QUIT', 'SEGV'])(
    'SIG%s from within the container does not count',
    async (signal) => {
      const connection = await start().ready()
      expect(await ended(exec(`kill -${signal} 1`))).toBe(0)
      const child = await connection.run('cat')
      child.stdin.end('still here')
      expect(await readAll(child.stdout)).toBe('still here')
      expect(connection.events.map(({ type }) => type)).not.toContain('terminating')
    },
  )

  test('when the connection drops, everything in the container is killed', async () => {
    const connection = await start().ready()
    const child = await connection.run('(setsid sleep 1000 &); echo up; sleep 1000')
    await readLine(child.stdout)
    const stranger = exec('echo up; exec sleep 1000')
    const strangerEnded = ended(stranger)
    await new Promise((resolve) => stranger.stdout?.once('data', resolve))
    const before = shim.processes().filter((one) => ![shim.pid, pid()].includes(one))
    connection.socket.destroy()
    await shim.ready()
    expect(before.filter(isAlive)).toEqual([])
    // Somebody removes the private directory.
    await shim.alone(pid())
    expect(new Set(shim.processes())).toEqual(new Set([shim.pid, pid()]))
    await strangerEnded
  })

  test('what others in the container leave behind is reaped', async () => {
    const connection = await start().ready()
    await ended(exec('(setsid sh -c "sleep 0.1" &)'))
    await until(() => childrenOf(pid()).length === 0, 'the orphan is reaped')
    await connection.kill(await connection.run('exec sleep 1000'))
  })

  test('a killed monitor leaves nothing here either', async () => {
    const connection = await start().ready()
    await shim.alone(pid())
    const child = await connection.run('(setsid sleep 1000 &); echo up; sleep 1000')
    await readLine(child.stdout)
    const monitor = childrenOf(pid())[0] ?? 0
    const family = shim.processes().filter((one) => ![shim.pid, pid()].includes(one))
    kill(monitor, 'SIGKILL')
    await connection.event('gone', child.id)
    expect(family.filter(isAlive)).toEqual([])
  })

  testWithNumbers('nor what bears a number that a process of the shim’s own has had', async () => {
    const connection = await start().ready()
    await shim.alone(pid())
    const child = await connection.run('read line; sleep 1000 & echo up; exec sleep 1000')
    // Before everything else the shim has started one that removes what killed shims have left.
    expect(await ended(exec(`echo 1 >${LAST_PID}`, []))).toBe(0)
    child.stdin.write('go on\n')
    await readLine(child.stdout)
    const [monitor = 0] = childrenOf(pid())
    const family = familyOf(monitor)
    expect(family.map(innerPidOf)).toContain(2)
    kill(monitor, 'SIGKILL')
    await connection.event('gone', child.id)
    expect(family.filter(isAlive)).toEqual([])
  })

  // What the kernel must stop: as root a monitor's kill(-1) could reach the whole machine.
  test('run by root, an end reaches the child’s family and nobody else', async () => {
    const script =
      'sleep 1000 & "$@"; code=$?; kill -0 $! && echo a bystander lives >&2; exit $code'
    const wrapper = 'unshare --pid --fork --kill-child --mount-proc sh -c'.split(' ')
    shim = new ShimProcess({
      binary: buildShim(target),
      wrapper: [...wrapper, script, 'sh'],
      isUserSetByWrapper: true,
    })
    const connection = await shim.ready()
    const child = await connection.run('(setsid sleep 1000 &); echo $$; sleep 1000')
    await readLine(child.stdout)
    const other = await connection.run('cat')
    await connection.kill(child)
    other.stdin.end('still here')
    expect(await readAll(other.stdout)).toBe('still here')
    await connection.run('exec sleep 1000')
    connection.send('exit', { code: 0 })
    expect(await shim.exit()).toEqual({ code: 0, signal: null })
    expect(shim.log).toBe('a bystander lives\n')
  })
})
