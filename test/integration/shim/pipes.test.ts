// A child's stdin and stdout: two kernel pipes between it and the sidecar, with the shim out of the
// way. What a program may expect of pipes holds.

import { afterEach, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { BUILDS, buildShim, ShimProcess } from '../../support/shim.ts'
import { stateOf, ticksOf } from '../../support/proc.ts'
import { readAll, readLine, until } from '../../support/waiting.ts'

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe.each(BUILDS)('%s build', (_build, target) => {
  let shim: ShimProcess
  const start = (): ShimProcess => (shim = new ShimProcess({ binary: buildShim(target) }))
  afterEach(() => shim.close())

  test('end of file goes both ways', async () => {
    const connection = await start().ready()
    const child = await connection.run('cat; exec >&-; read line || echo no more >&2')
    child.stdin.end('to the end')
    expect(await readAll(child.stdout)).toBe('to the end')
    await connection.event('exited', child.id)
    expect(connection.stderr(child.id)).toBe('no more\n')
  })

  test('what is written before OPENED is there when the child starts', async () => {
    const connection = await start().ready()
    const offer = await connection.offer({ SCRIPT: 'cat' })
    offer.stdin.end('early')
    const child = await connection.start(offer)
    expect(await readAll(child.stdout)).toBe('early')
  })

  test('a child that writes waits for the sidecar to read', async () => {
    const connection = await start().ready()
    const child = await connection.run(`head -c 1000000 /dev/zero; echo written >&2`)
    // Another child's whole life is time enough for a write that would not wait.
    await connection.event('gone', (await connection.run('sleep 0.2')).id)
    expect(connection.stderr(child.id)).toBe('')
    expect((await readAll(child.stdout)).length).toBe(1_000_000)
    await connection.event('exited', child.id)
    expect(connection.stderr(child.id)).toBe('written\n')
  })

  test('a sidecar that writes is told to wait for the child to read', async () => {
    const connection = await start().ready()
    // It reads a byte at a time, for some a second and for some a tenth: not before it is told to.
    const child = await connection.run('kill -STOP $$; read line; wc -c')
    expect(child.stdin.write(Buffer.alloc(1_000_000, 'x'))).toBe(false)
    await connection.event('gone', (await connection.run('sleep 0.2')).id)
    expect(child.stdin.writableLength).toBeGreaterThan(0)
    await until(() => stateOf(child.pid) === 'T', 'the child is stopped')
    process.kill(child.pid, 'SIGCONT')
    child.stdin.end('\nand more')
    expect((await readAll(child.stdout)).trim()).toBe('8')
  })

  test('eight mebibytes go through unchanged, both ways at once', async () => {
    const connection = await start().ready()
    const child = await connection.run('tee /dev/stderr 2>/dev/null')
    const bytes = randomBytes(8 * 1024 * 1024)
    const parts: Buffer[] = []
    child.stdout.on('data', (part: Buffer) => parts.push(part))
    child.stdin.end(bytes)
    await readAll(child.stdout)
    expect(sha256(Buffer.concat(parts))).toBe(sha256(bytes))
  })

  test('a conversation costs the shim nothing', async () => {
    const connection = await start().ready()
    const child = await connection.run('exec cat')
    const before = ticksOf(shim.pid)
    for (let i = 0; i < 500; i++) {
      child.stdin.write(`${i}\n`)
      expect(await readLine(child.stdout)).toBe(String(i))
    }
    expect(ticksOf(shim.pid) - before).toBeLessThanOrEqual(1)
  })

  test.each([
    ['/dev/stdout', 'echo a >/dev/stdout; echo b >/dev/stdout', 'a\nb\n'],
    ['/proc/self/fd/1', 'echo a >/proc/self/fd/1; echo b', 'a\nb\n'],
    ['/dev/stdin', 'read a </dev/stdin; echo "$a"', 'line\n'],
  ])('%s can be opened again', async (_name, script, expected) => {
    const connection = await start().ready()
    const child = await connection.run(script)
    // Not ended: a FIFO without a writer can't be opened for reading.
    child.stdin.write('line\n')
    expect(await readAll(child.stdout)).toBe(expected)
  })

  test('both are blocking, whatever the sidecar’s ends are', async () => {
    const connection = await start().ready()
    const child = await connection.run('for fd in 0 1 2; do grep flags /proc/self/fdinfo/$fd; done')
    const flags = (await readAll(child.stdout)).match(/\d+/g)?.map((octal) => parseInt(octal, 8))
    expect(flags?.map((flag) => flag & 0o4003)).toEqual([0, 1, 1])
  })

  test('each has one description of its own: O_NONBLOCK on one is on no other', async () => {
    const connection = await start().ready()
    const script = `python3 -c 'import os; os.set_blocking(1, False)
for fd in (0, 1, 2): print(os.get_blocking(fd))'`
    const child = await connection.run(script)
    expect(await readAll(child.stdout)).toBe('True\nFalse\nTrue\n')
  })

  test('a sidecar that closes stdout ends a writer by SIGPIPE', async () => {
    const connection = await start().ready()
    const child = await connection.run('exec yes')
    await readLine(child.stdout)
    child.stdout.destroy()
    expect(await connection.event('exited', child.id)).toMatchObject({ kind: 1, value: 13 })
  })

  test('or by an error, where it ignores the signal', async () => {
    const connection = await start().ready()
    const child = await connection.run('trap "" PIPE; yes; echo ended >&2')
    await readLine(child.stdout)
    child.stdout.destroy()
    await connection.event('exited', child.id)
    expect(connection.stderr(child.id)).toMatch(/Broken pipe\s+ended\n$/)
  })

  test('a sidecar that had closed stdout before the start is noticed', async () => {
    const connection = await start().ready()
    const offer = await connection.offer({ SCRIPT: 'exec yes' })
    offer.stdout.destroy()
    await until(() => offer.stdout.closed, 'the end is closed')
    connection.send('opened', { child: offer.id })
    expect(await connection.event('exited', offer.id)).toMatchObject({ kind: 1, value: 13 })
  })

  test('a sidecar that had closed stdin before the start is end of file', async () => {
    const connection = await start().ready()
    const offer = await connection.offer({ SCRIPT: 'cat; echo ended' })
    offer.stdin.destroy()
    await until(() => offer.stdin.closed, 'the end is closed')
    expect(await readAll((await connection.start(offer)).stdout)).toBe('ended\n')
  })

  test('a descendant that holds stdout does not hide that the child has ended', async () => {
    const connection = await start().ready()
    const child = await connection.run('(trap "" TERM; sleep 1000) & exit 4')
    child.stdout.resume()
    expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 4 })
    await connection.event('gone', child.id)
    expect(connection.story(child.id).slice(-2)).toEqual(['exited', 'gone'])
    await until(() => child.stdout.closed, 'stdout has ended with the last of them')
  })
})
