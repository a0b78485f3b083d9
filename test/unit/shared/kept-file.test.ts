import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { KeptFile, needed } from '../../../shared/kept-file.ts'
import { fail, ok } from '../../../shared/result.ts'
import { fakeText, type Content } from '../../support/fake-text.ts'
import { keptLog } from '../../support/kept-log.ts'

const parse = needed((text) => (/^\d+$/.test(text) ? ok(Number(text)) : fail(['no', 'number'])))

const optionsOf = (first: Content) => {
  const { log, lines } = keptLog()
  const { source, put, reads } = fakeText('n.txt', first)
  const options = { what: 'the number', source, parse, log, fields: (value: number) => ({ value }) }
  return { options, lines, put, reads }
}

/** A file of numbers, of which 1 has been read at start. */
const keep = async () => {
  const { options, ...rest } = optionsOf('1')
  const opened = await KeptFile.open(options)
  if (!opened.ok) throw new Error(opened.error.join())
  const file = opened.value
  const see = async (next: Content) => {
    rest.put(next)
    const outcomes = [await file.refresh(), await file.refresh()]
    return [file.current(), ...outcomes.filter((outcome) => outcome !== 'same')]
  }
  return { ...rest, file, see }
}

afterEach(() => {
  jest.useRealTimers()
})

describe('a file that is kept', () => {
  test.each<readonly [string, readonly Content[], readonly unknown[]]>([
    ['that does not change says nothing', ['1'], [1]],
    ['is taken anew, and told once', ['2'], [2, 'taken']],
    ['keeps the last good content beside a wrong one', ['2', 'x'], [2, 'refused']],
    ['keeps it where the file is gone', ['2', undefined], [2, 'refused']],
    ['keeps it where it cannot be read', ['2', { fault: 'EIO' }], [2, 'refused']],
    ['tells another fault', ['x', 'y'], [1, 'refused']],
    ['tells the same fault once', ['x', 'y', 'y'], [1]],
    ['that is right again is told, though nothing has changed', ['x', '1'], [1, 'taken']],
  ])('%s', async (_name, steps, expected) => {
    const { see } = await keep()
    let last: readonly unknown[] = []
    for (const step of steps) last = await see(step)
    expect(last).toEqual(expected)
  })

  test('its log says what is wrong, and that the last good content goes on', async () => {
    const { see, lines } = await keep()
    await see('x')
    await see('2')
    await see(undefined)
    expect(lines).toHaveLength(3)
    expect(lines[0]).toContain('the number is not taken; the last good one goes on')
    expect(lines[0]).toContain('"file":"n.txt","error":"no; number"')
    expect(lines[1]).toContain('the number is read, and holds')
    expect(lines[1]).toContain('"value":2')
    expect(lines[2]).toContain('there is no such file')
  })

  test('is not read again while its stamp is the same, but after a fault of reading', async () => {
    const { file, put, reads, see } = await keep()
    await file.refresh()
    expect(reads()).toBe(1)
    await see('x')
    expect(reads()).toBe(2)
    put({ fault: 'EIO' })
    await file.refresh()
    await file.refresh()
    expect(reads()).toBe(4)
  })

  test.each<readonly [string, Content, string]>([
    ['is not there', undefined, 'there is no such file'],
    ['cannot be read', { fault: 'EIO' }, 'EIO'],
    ['is wrong', 'x', 'no; number'],
  ])('one that %s is not opened', async (_name, content, why) => {
    const opened = await KeptFile.open(optionsOf(content).options)
    expect(opened.ok ? '' : opened.error.join('; ')).toBe(why)
  })

  test('is followed until it is closed', async () => {
    jest.useFakeTimers()
    const { file, put } = await keep()
    const heard: string[] = []
    file.follow(10, (outcome) => heard.push(`${outcome} ${file.current()}`))
    for (const content of ['2', '2', 'x', '3']) {
      put(content)
      await jest.advanceTimersByTimeAsync(10)
    }
    expect(heard).toEqual(['taken 2', 'refused 2', 'taken 3'])
    file.close()
    put('4')
    await jest.advanceTimersByTimeAsync(100)
    expect(heard).toHaveLength(3)
    expect(jest.getTimerCount()).toBe(0)
  })
})
