// The shim as a command: usage errors, `version`, `copy`, `probe`, and how `serve` begins.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BUILDS, buildShim, ShimProcess } from '../../support/shim.ts'
import { until } from '../../support/waiting.ts'
import { IS_ROOT } from '../../support/users.ts'

// Two users take root.
const testAsRoot = IS_ROOT ? test : test.skip

describe.each(BUILDS)('%s build', (_build, target) => {
  const run = (...words: string[]): { code: number | null; out: string; log: string } => {
    const { status, stdout, stderr } = spawnSync(buildShim(target), words, { encoding: 'utf8' })
    return { code: status, out: stdout, log: stderr }
  }

  describe('usage', () => {
    const serve = (...flags: string[]): string[] => ['serve', '--run', '/tmp', ...flags]
    const many = (...flag: string[]): string[] => Array.from({ length: 129 }, () => flag).flat()

    test.each<[string, string[], string]>([
      ['no command', [], 'a command is missing'],
      ['an unknown command', ['help'], 'an unknown command'],
      ['version with more', ['version', 'x'], 'version wants nothing more'],
      ['copy without a directory', ['copy'], 'copy wants one directory'],
      ['copy with an empty one', ['copy', ''], 'copy wants one directory'],
      ['copy with two', ['copy', '/a', '/b'], 'copy wants one directory'],
      ['probe without a port', ['probe'], 'a port from 1 to 65535'],
      ['probe of port 0', ['probe', '0', '/'], 'a port from 1 to 65535'],
      ['probe of port 65536', ['probe', '65536', '/'], 'a port from 1 to 65535'],
      ['probe of no number', ['probe', '80x', '/'], 'a port from 1 to 65535'],
      ['probe of a relative path', ['probe', '80', 'x'], 'a path that begins with /'],
      ['probe of a path with a line', ['probe', '80', '/\r\nx: y'], 'has no spaces'],
      ['probe with a header without a name', ['probe', '80', '/', ': x'], 'as `Name: value`'],
      ['probe with a word for a header', ['probe', '80', '/', 'x'], 'as `Name: value`'],
      ['probe with a line in a header', ['probe', '80', '/', 'a: b\r\nc: d'], 'as `Name: value`'],
      ['probe with a space in a name', ['probe', '80', '/', 'GET /: x'], 'as `Name: value`'],
      ['probe with long headers', ['probe', '80', '/', `a:${'x'.repeat(2047)}`], '2048 characters'],
      ['probe within no time', ['probe', '--within', '0', '80', '/'], 'seconds from 1 to 86400'],
      ['probe with --within at the end', ['probe', '--within'], 'seconds from 1 to 86400'],
      ['serve without --run', ['serve', '--', 'sh'], '--run DIR is missing'],
      ['serve with a relative --run', ['serve', '--run', 'x', '--', 'sh'], 'an absolute directory'],
      ['serve with a long --run', ['serve', '--run', `/${'x'.repeat(96)}`, '--', 'sh'], '96 bytes'],
      ['serve with --run at the end', ['serve', '--run'], '--run wants a directory'],
      ['serve without --', serve(), '-- CMD is missing'],
      ['serve without a command', serve('--'), 'the command is empty'],
      ['serve with an empty command', serve('--', ''), 'the command is empty'],
      ['serve with an unknown flag', serve('--verbose', '--', 'sh'), 'an unknown flag'],
      ['serve with a word', serve('sh'), 'an unknown flag'],
      ['0 processes', serve('--max-processes', '0', '--', 'sh'), 'from 1 to 1024'],
      ['1025 processes', serve('--max-processes', '1025', '--', 'sh'), 'from 1 to 1024'],
      ['no rate', serve('--spawn-rate', '--', 'sh'), 'from 1 to 10000'],
      ['a negative grace', serve('--grace', '-1', '--', 'sh'), 'from 0 to 86400'],
      ['files of a rule that there is not', serve('--files', 'all', '--', 'sh'), '--files wants'],
      ['--homes at the end', serve('--homes'), '--homes wants an absolute directory'],
      ['homes of a relative path', serve('--homes', 'x', '--', 'sh'), '--homes wants an absolute'],
      ['--files at the end', serve('--files'), '--files wants require or advisory'],
      [
        'a writable path that is relative',
        serve('--writable', 'x', '--', 'sh'),
        'an absolute path',
      ],
      ['--writable at the end', serve('--writable'), '--writable wants an absolute path'],
      ['--writable alone', serve('--writable', '/x', '--', 'sh'), '--writable goes with --files'],
      [
        'the same of exec',
        ['exec', '--writable', '/x', '--', 'sh'],
        '--writable goes with --files',
      ],
      ['129 writable paths', serve(...many('--writable', '/x'), '--', 'sh'), 'more than 128 times'],
      ['a grace beyond 32 bits', serve('--grace', '4294967297', '--', 'sh'), 'from 0 to 86400'],
    ])('%s: exit code 2 and a sentence', (_name, words, why) => {
      const { code, log } = run(...words)
      expect(code).toBe(2)
      expect(log).toContain(why)
    })
  })

  test('version says the version and the protocol', () => {
    const version = /"version": "([^"]+)"/.exec(readFileSync('package.json', 'utf8'))?.[1]
    expect(run('version')).toEqual({
      code: 0,
      out: `shim ${version} (control protocol 3)\n`,
      log: '',
    })
  })

  describe('copy', () => {
    let folder: string
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'shim-copy-'))
    })
    afterEach(() => {
      chmodSync(folder, 0o700)
      rmSync(folder, { recursive: true })
    })
    const shim = (): string => join(folder, 'shim')

    test('puts the very same binary there, mode 0555, and nothing else', () => {
      expect(run('copy', folder)).toEqual({ code: 0, out: '', log: '' })
      expect(readdirSync(folder)).toEqual(['shim'])
      expect(statSync(shim()).mode & 0o7777).toBe(0o555)
      expect(readFileSync(shim()).equals(readFileSync(buildShim(target)))).toBe(true)
    })

    test('has its mode whatever the umask', () => {
      spawnSync('sh', ['-c', `umask 077; "$1" copy "$2"`, 'sh', buildShim(target), folder])
      expect(statSync(shim()).mode & 0o7777).toBe(0o555)
    })

    test('over a binary that runs: the old goes on, the new is there', async () => {
      run('copy', folder)
      const before = statSync(shim()).ino
      const running = spawn(shim(), ['serve', '--run', folder, '--', 'true'], { stdio: 'ignore' })
      const ended = new Promise((resolve) => running.once('close', resolve))
      expect(run('copy', folder).code).toBe(0)
      expect(statSync(shim()).ino).not.toBe(before)
      expect(spawnSync(shim(), ['version']).status).toBe(0)
      expect(running.exitCode).toBeNull()
      running.kill('SIGTERM')
      await ended
    })

    test('over a symbolic link: the link goes, what it leads to stays', () => {
      const other = join(folder, 'other')
      writeFileSync(other, 'precious')
      symlinkSync(other, shim())
      expect(run('copy', folder).code).toBe(0)
      expect(readFileSync(other, 'utf8')).toBe('precious')
      expect(statSync(shim()).size).toBeGreaterThan(1000)
    })

    test('from a copy works too', () => {
      run('copy', folder)
      expect(spawnSync(shim(), ['copy', folder]).status).toBe(0)
    })

    test.each([
      ['no directory', '/no/such/directory', 'cannot open /no/such/directory'],
      ['a file', '/etc/hostname', 'cannot open /etc/hostname'],
    ])('to %s: exit code 1 and a sentence', (_name, dir, why) => {
      const { code, log } = run('copy', dir)
      expect(code).toBe(1)
      expect(log).toContain(why)
    })

    test('to a directory that cannot be written: exit code 1, nothing left', () => {
      chmodSync(folder, 0o555)
      // /proc is such a directory for root too.
      expect(run('copy', IS_ROOT ? '/proc/self' : folder).code).toBe(1)
      expect(readdirSync(folder)).toEqual([])
    })
  })

  describe('probe', () => {
    let server: Server | undefined
    const sockets = new Set<Socket>()
    afterEach(() => {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
      server?.close()
      server = undefined
    })

    // Listens, and answers the first bytes of each connection by what `answer` makes of them.
    const listen = (
      host: string,
      answer: (socket: Socket, request: string) => void,
    ): Promise<number> =>
      new Promise((resolve) => {
        server = createServer((socket) => {
          sockets.add(socket)
          socket.on('error', () => socket.destroy())
          socket.once('data', (request) => answer(socket, request.toString()))
        })
        server.listen(0, host, () => {
          const address = server?.address()
          resolve(typeof address === 'object' && address ? address.port : 0)
        })
      })
    const sayOk = (socket: Socket): void => void socket.end('HTTP/1.1 200 OK\r\n\r\n')

    // The server is in this process: the probe must not block it.
    const probe = (
      port: number,
      words: readonly string[] = ['/readyz'],
      flags: readonly string[] = [],
    ): Promise<{ code: number | null; log: string }> =>
      new Promise((resolve) => {
        const child = spawn(buildShim(target), ['probe', ...flags, String(port), ...words])
        let log = ''
        child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
        child.once('close', (code) => resolve({ code, log }))
      })

    test.each([
      ['200', 'HTTP/1.1 200 OK\r\n\r\n', 0, ''],
      ['204 by HTTP/1.0', 'HTTP/1.0 204 No Content\r\n\r\n', 0, ''],
      ['302, as for the kubelet', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n', 0, ''],
      ['404', 'HTTP/1.1 404 Not Found\r\n\r\n', 1, 'answered HTTP/1.1 404'],
      ['503', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', 1, 'answered HTTP/1.1 503'],
      ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 1, 'answered SSH-2.0-Open'],
      ['a line that is cut', 'HTTP/1.1', 1, 'Connection reset'],
      ['control characters', '\u001b[31m\u0007HTTP/1.1 200', 1, 'answered ?[31m?HTTP/1'],
      ['503 and why', 'HTTP/1.1 503 No\r\n\r\nno child\nmore', 1, 'HTTP/1.1 503: no child\n'],
      ['nothing', '', 1, 'Connection reset'],
    ])('an answer of %s', async (_name, answer, code, why) => {
      const result = await probe(await listen('127.0.0.1', (socket) => void socket.end(answer)))
      expect(result.code).toBe(code)
      expect(result.log).toContain(why)
    })

    test('a server that listens on IPv6 alone', async () => {
      expect((await probe(await listen('::1', sayOk))).code).toBe(0)
    })

    test('a server that answers and keeps the connection open', async () => {
      const port = await listen('127.0.0.1', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      expect(await probe(port)).toEqual({ code: 0, log: '' })
    })

    test('a port where nobody listens', async () => {
      const port = await listen('127.0.0.1', sayOk)
      await new Promise((resolve) => server?.close(resolve))
      const { code, log } = await probe(port)
      expect(code).toBe(1)
      expect(log).toContain('Connection refused')
    })

    test('a server that never answers: not for ever', async () => {
      const port = await listen('127.0.0.1', () => undefined)
      const { code, log } = await probe(port, ['/'], ['--within', '1'])
      expect(code).toBe(1)
      expect(log).toContain('timed out')
    })

    test('without a path it is enough that the port is open', async () => {
      const port = await listen('127.0.0.1', () => undefined)
      expect(await probe(port, [])).toEqual({ code: 0, log: '' })
      await new Promise((resolve) => {
        server?.close(resolve)
        for (const socket of sockets) socket.destroy()
      })
      expect((await probe(port, [])).log).toContain(`port ${port}: Connection refused`)
    })

    const asked = async (...words: string[]): Promise<string> => {
      const requests: string[] = []
      const port = await listen('127.0.0.1', (socket, request) => {
        requests.push(request)
        sayOk(socket)
      })
      expect((await probe(port, words)).code).toBe(0)
      return requests.join()
    }

    test('asks for the path, by GET', async () => {
      const request = await asked('/livez?verbose')
      expect(request).toMatch(/^GET \/livez\?verbose HTTP\/1\.0\r\n/)
      expect(request).toMatch(/\r\nHost: localhost:\d+\r\n(.*\r\n)?\r\n$/)
    })

    test('asks with headers, as many as there may be', async () => {
      const many = Array.from({ length: 1022 }, () => 'b:')
      const request = await asked('/', 'host: a.example', 'X-Key:', ...many.slice(10))
      expect(request).toContain('\r\nhost: a.example\r\nX-Key:\r\nb:\r\n')
      expect(request.match(/host:/gi)).toHaveLength(1)
      expect(request.endsWith('b:\r\n\r\n')).toBe(true)
    })
  })

  describe('serve, before and after its connection', () => {
    test('waits for a sidecar that comes late', async () => {
      const shim = new ShimProcess({ binary: buildShim(target), isLate: true })
      await new Promise((resolve) => setTimeout(resolve, 150))
      shim.listen()
      await shim.ready()
      await shim.close()
      expect(shim.log).toBe('')
    })

    test('SIGTERM before there is a connection: exit code 143 at once', async () => {
      const shim = new ShimProcess({ binary: buildShim(target), isLate: true })
      // The shim is there to be signalled once it has made its private base.
      await until(() => readdirSync(shim.homes).length === 1, 'the shim has begun')
      shim.process.kill('SIGTERM')
      expect(await shim.exit()).toEqual({ code: 143, signal: null })
      await shim.close()
    })

    test('--once: ends with 0 when the connection drops', async () => {
      const shim = new ShimProcess({ binary: buildShim(target), flags: ['--once'] })
      const connection = await shim.ready()
      await connection.run('exec sleep 1000')
      connection.socket.destroy()
      expect(await shim.exit()).toEqual({ code: 0, signal: null })
      await shim.close()
    })

    test('--once: ends with 1 when the sidecar breaks the protocol', async () => {
      const shim = new ShimProcess({ binary: buildShim(target), flags: ['--once'] })
      const connection = await shim.connection()
      connection.socket.write(Buffer.alloc(64))
      expect(await shim.exit()).toEqual({ code: 1, signal: null })
      await shim.close()
    })

    testAsRoot('a sidecar of another user than before is not believed', async () => {
      const shim = new ShimProcess({ binary: buildShim(target) })
      const connection = await shim.ready()
      shim.stopListening()
      connection.socket.destroy()
      // Now this process, root, listens in the sidecar's place.
      const server = createServer()
      const accepted: unknown[] = []
      server.on('connection', (socket) => accepted.push(socket.on('error', () => undefined)))
      server.listen(join(shim.dir, 'control'))
      chmodSync(join(shim.dir, 'control'), 0o666)
      await until(() => shim.log.includes('who listens on'), 'the shim has refused')
      expect(accepted.length).toBeGreaterThan(0)
      await new Promise((resolve) => server.close(resolve))
      shim.listen()
      await shim.ready()
      await shim.close()
    })
  })
})

test('--once: gives up after 30 s without a sidecar, and says so', async () => {
  const shim = new ShimProcess({ flags: ['--once'], isLate: true })
  expect(await shim.exit()).toEqual({ code: 1, signal: null })
  expect(shim.log).toContain('nobody listened on')
  await shim.close()
})
