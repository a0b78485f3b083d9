import { describe, expect, test } from '@jest/globals'
import { KeptFile } from '../../../shared/kept-file.ts'
import { fail, ok } from '../../../shared/result.ts'
import { keptLog } from '../../support/kept-log.ts'

/** A file of numbers, of which 1 has been read at start. */
const keep = () => {
  const { log, lines } = keptLog()
  const heard: (number | undefined)[] = []
  let now: string | Error | undefined = '1'
  const file = new KeptFile<number>({
    what: 'the number',
    file: 'n.txt',
    read: () => (now instanceof Error ? Promise.reject(now) : Promise.resolve(now)),
    parse: (text) => (/^\d+$/.test(text ?? '') ? ok(Number(text)) : fail(['no', 'number'])),
    first: { value: 1, seen: '1' },
    log,
    fields: (value) => ({ value }),
    onChange: (value) => heard.push(value),
  })
  const see = async (next: string | Error | undefined): Promise<number> => {
    now = next
    await file.refresh()
    await file.refresh()
    return file.current()
  }
  return { see, heard, lines }
}

describe('a file that is kept', () => {
  test.each<readonly [string, readonly (string | Error | undefined)[], number, unknown[]]>([
    ['that does not change says nothing', ['1'], 1, []],
    ['is taken anew, and told once', ['2'], 2, [2]],
    ['keeps the last good content beside a wrong one', ['2', 'x'], 2, [2, undefined]],
    ['keeps it where the file is gone', ['2', undefined], 2, [2, undefined]],
    ['keeps it where it cannot be read', ['2', new Error('EIO')], 2, [2, undefined]],
    ['tells each fault once', ['x', 'y', 'y'], 1, [undefined, undefined]],
    ['that is right again is told, though nothing has changed', ['x', '1'], 1, [undefined, 1]],
  ])('%s', async (_name, steps, value, told) => {
    const { see, heard, lines } = keep()
    let last = 1
    for (const step of steps) last = await see(step)
    expect(last).toBe(value)
    expect(heard).toEqual(told)
    expect(lines).toHaveLength(told.length)
  })

  test('its log says what is wrong, and that the last good content goes on', async () => {
    const { see, lines } = keep()
    await see('x')
    await see('2')
    expect(lines[0]).toContain('the number is not taken; the last good one goes on')
    expect(lines[0]).toContain('no; number')
    expect(lines[1]).toContain('the number is read')
  })
})
