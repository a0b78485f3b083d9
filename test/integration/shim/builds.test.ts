// The shim as every compiler and machine has it: warnings are errors (glibc, musl, clang), aarch64 runs
// under an emulator that lacks half of what the shim uses, and the parser is fuzzed. What takes a
// program that is not here is skipped by name.

import { afterAll, describe, expect, test } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildShim, hasProgram, ShimProcess } from '../../support/shim.ts'
import { encodeRequest, frame, VERSION } from '../../support/shim-frame.ts'
import { isAlive } from '../../support/proc.ts'
import { readAll, readLine } from '../../support/waiting.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'shim-builds-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))

const testWith = (program: string): typeof test.skip => (hasProgram(program) ? test : test.skip)

describe('a build by', () => {
  for (const compiler of ['gcc', 'musl-gcc', 'clang-14']) {
    testWith(compiler)(`${compiler} has no warnings, is static, small and works`, async () => {
      const dist = join(FOLDER, compiler)
      const words = ['-C', 'sidecar/shim', '-s', `CC=${compiler}`, `DIST=${dist}`]
      const { status, stderr } = spawnSync('make', words, { encoding: 'utf8' })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      const binary = join(dist, 'shim')
      expect(statSync(binary).size).toBeLessThanOrEqual(1024 * 1024)
      // No interpreter: it runs in an image without any library.
      expect(readFileSync(binary).includes('/ld-')).toBe(false)
      execFileSync('chmod', ['755', FOLDER, dist])
      const shim = new ShimProcess({ binary })
      const connection = await shim.ready()
      const child = await connection.run('cat; echo bye >&2; exit 3')
      child.stdin.end('hello')
      expect(await readAll(child.stdout)).toBe('hello')
      await connection.event('gone', child.id)
      expect(connection.stderr(child.id)).toBe('bye\n')
      await shim.close()
    })
  }
})

const hasEmulator = hasProgram('qemu-aarch64') && hasProgram('aarch64-linux-gnu-gcc')
const describeEmulated = hasEmulator ? describe : describe.skip

describeEmulated('aarch64, under qemu-user (takes qemu-user and gcc-aarch64-linux-gnu)', () => {
  const start = (): ShimProcess =>
    new ShimProcess({ binary: buildShim('aarch64'), wrapper: ['qemu-aarch64'] })
  const run = (...words: string[]): ReturnType<typeof spawnSync> =>
    spawnSync('qemu-aarch64', [buildShim('aarch64'), ...words], { encoding: 'utf8' })

  test('says in HELLO and in its log what is not there, and works', async () => {
    const shim = start()
    const hello = await (await shim.connection()).hello()
    expect(hello).toMatchObject({ version: VERSION, landlockAbi: 0, flags: 2 })
    expect(shim.log).toContain('there is no Landlock here')
    expect(shim.log).toContain('there are no subreapers here')
    await shim.close()
  })

  test('children, ends, refusals and EXIT', async () => {
    const shim = start()
    const connection = await shim.ready()
    const child = await connection.run('cat; echo bye >&2; exit 3')
    child.stdin.end('hello')
    expect(await readAll(child.stdout)).toBe('hello')
    expect(await connection.event('exited', child.id)).toMatchObject({ kind: 0, value: 3 })
    await connection.event('gone', child.id)
    expect(connection.stderr(child.id)).toBe('bye\n')

    const stubborn = await connection.run('trap "" TERM; echo up; while :; do sleep 1; done')
    await readLine(stubborn.stdout)
    connection.end(stubborn.id, 0, 50)
    expect(await connection.event('exited', stubborn.id)).toMatchObject({ kind: 1, value: 9 })
    await connection.event('gone', stubborn.id)

    const { answer } = await connection.ask({ '': 'no key' })
    expect(answer).toMatchObject({ type: 'refused', reason: 4 })
    connection.send('exit', { code: 5 })
    expect(await shim.exit()).toEqual({ code: 5, signal: null })
    await shim.close()
  })

  test('a connection that drops ends its children', async () => {
    const shim = start()
    const connection = await shim.ready()
    const child = await connection.run('exec sleep 1000')
    connection.socket.destroy()
    await shim.ready()
    expect(isAlive(child.pid)).toBe(false)
    await shim.close()
  })

  test('copy, probe and version', () => {
    const folder = join(FOLDER, 'aarch64')
    mkdirSync(folder)
    expect(run('copy', folder).status).toBe(0)
    const copied = readFileSync(join(folder, 'shim'))
    expect(copied.equals(readFileSync(buildShim('aarch64')))).toBe(true)
    expect(run('probe', '1', '/').status).toBe(1)
    expect(run('version').stdout).toMatch(/^shim /)
  })
})

// Runs a fuzzer of the shim's on a folder of seeds; what it says at its end.
const fuzz = (program: string, corpus: string, longest: number): string => {
  const flags = ['-runs=200000', `-max_len=${longest}`, '-seed=1', `-artifact_prefix=${FOLDER}/`]
  const { status, stderr } = spawnSync(program, [...flags, corpus], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const log = stderr.slice(-4000)
  process.stdout.write(`shim: fuzzing, ${/cov: \d+ ft: \d+/.exec(log)?.[0] ?? ''}\n`)
  if (status !== 0) throw new Error(`the fuzzer ended with ${status}: ${log}`)
  return log
}

describe('the addresses that a server asks for', () => {
  // The first byte chooses the socket; then family, port 8080, and what else an address of it has.
  const seeds = {
    any4: `00 02001f90 00000000 ${'00'.repeat(8)}`,
    any6: `01 0a001f90 00000000 ${'00'.repeat(20)}`,
    only6: `03 0a001f90 00000000 ${'00'.repeat(15)}01 00000000`,
    mapped: `01 0a001f90 00000000 ${'00'.repeat(10)}ffff7f000001 00000000`,
  }

  testWith('clang-14')('survive 200,000 runs of a fuzzer (takes clang-14)', () => {
    const corpus = join(FOLDER, 'addresses')
    mkdirSync(corpus)
    for (const [name, hex] of Object.entries(seeds)) {
      writeFileSync(join(corpus, name), Buffer.from(hex.replaceAll(' ', ''), 'hex'))
    }
    expect(fuzz(`${buildShim('fuzz')}-address`, corpus, 160)).toContain('Done 200000 runs')
  })
})

describe('the parser of the control protocol', () => {
  const seeds = {
    hello: encodeRequest('hello', { version: VERSION }),
    confined: encodeRequest('spawn', {
      child: 3,
      name: 'e'.repeat(32),
      mode: 2,
      forwards: [
        [5432, 40_001],
        [6379, 40_002],
      ],
      lines: ['HTTP_PROXY=http://a:b@127.0.0.1:15202'],
    }),
    confine: encodeRequest('confine', { mode: 1, forwards: [[80, 40_003]], lines: ['A=b'] }),
    spawn: encodeRequest('spawn', {
      child: 1,
      name: '0123456789abcdef0123456789abcdef',
      lines: ['KEY=VALUE', 'EMPTY=', 'TWICE=a=b'],
    }),
    many: encodeRequest('spawn', {
      child: 2,
      name: 'f'.repeat(32),
      lines: Array.from({ length: 64 }, (_, i) => `K${i}=${'v'.repeat(i)}`),
    }),
    opened: encodeRequest('opened', { child: 1 }),
    end: encodeRequest('end', { child: 1, termAfterMs: 1, killAfterMs: 2 }),
    exit: encodeRequest('exit', { code: 0 }),
    broken: frame(0x7f, Buffer.alloc(3)),
  }

  testWith('clang-14')('survives 200,000 runs of a fuzzer (takes clang-14)', () => {
    const corpus = join(FOLDER, 'corpus')
    mkdirSync(corpus)
    for (const [name, bytes] of Object.entries(seeds)) writeFileSync(join(corpus, name), bytes)
    writeFileSync(join(corpus, 'all'), Buffer.concat(Object.values(seeds)))
    expect(fuzz(buildShim('fuzz'), corpus, 66_000)).toContain('Done 200000 runs')
  })
})
