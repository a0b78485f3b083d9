import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { createOutput } from '../../../../cli/output/output.ts'

/** A stream that takes one text at a time, when the test says so. */
const slowStream = () => {
  const taken: string[] = []
  let done: ((error?: Error) => void) | undefined
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, callback) {
      taken.push(text)
      done = callback
    },
  })
  const next = (error?: Error): Promise<void> => {
    done?.(error)
    return new Promise((resolve) => setImmediate(resolve))
  }
  return { stream, taken, next }
}

const FULL = Object.assign(new Error('no space'), { code: 'ENOSPC' })
const isPending = async (promise: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([promise, Promise.resolve('pending')])) === 'pending'

describe('what is written', () => {
  test('is waited for, all of it', async () => {
    const { stream, taken, next } = slowStream()
    const output = createOutput(stream)
    output.write('one')
    output.write('two')
    const end = output.end()
    await next()
    expect(await isPending(end)).toBe(true)
    await next()
    expect(await end).toBeUndefined()
    expect(taken).toEqual(['one', 'two'])
  })

  test('and fails is told, also where the first part had gone out', async () => {
    const { stream, next } = slowStream()
    const output = createOutput(stream)
    output.write('one')
    output.write('two')
    await next()
    await next(FULL)
    expect(await output.end()).toBe(FULL)
  })

  test('after a failure is a failure too', async () => {
    const { stream, next } = slowStream()
    const output = createOutput(stream)
    output.log('a line\n')
    await next(FULL)
    output.write('one')
    expect(await output.end()).toBe(FULL)
  })

  test('and is nothing needs no reader', async () => {
    const { stream, taken } = slowStream()
    const output = createOutput(stream)
    output.write('')
    expect(await output.end()).toBeUndefined()
    expect(taken).toEqual([])
  })
})

describe('what is logged', () => {
  const LINE = `${'x'.repeat(64 * 1024 - 1)}\n`

  test('waits for a slow reader within a bound, and what was left out is counted', async () => {
    const { stream, taken, next } = slowStream()
    const output = createOutput(stream)
    for (let line = 0; line < 1000; line += 1) output.log(LINE)
    expect(stream.writableLength).toBeLessThan(2 * 1024 * 1024)
    const waiting = stream.writableLength / LINE.length
    for (let line = 0; line < waiting; line += 1) await next()
    output.log('again\n')
    expect(taken.at(-1)).toBe(
      `outrigger: ${1000 - waiting} lines were left out, nobody read them\nagain\n`,
    )
  })

  test('and lost is no failure of the command', async () => {
    const { stream, next } = slowStream()
    const output = createOutput(stream)
    output.log('one\n')
    output.log('two\n')
    await next(FULL)
    output.log('three\n')
    expect(await output.end()).toBeUndefined()
  })
})
