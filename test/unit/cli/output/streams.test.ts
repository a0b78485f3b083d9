import { describe, expect, test } from '@jest/globals'
import { createOutput } from '../../../../cli/output/output.ts'
import { fileStream } from '../../../../cli/output/streams.ts'

/** A disk with room for so many bytes, which takes at most `most` at once. */
const disk = (room: number, most: number) => {
  let text = ''
  const take = (bytes: Uint8Array): number => {
    const fits = Math.min(bytes.length, most, room - text.length)
    if (fits === 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
    text += Buffer.from(bytes.subarray(0, fits)).toString('latin1')
    return fits
  }
  return { take, text: () => text }
}

describe('a file', () => {
  test.each([
    ['takes it at once', 100, 100, undefined],
    ['takes it in small parts', 100, 3, undefined],
    ['is full in the middle', 15, 100, 'ENOSPC: no space left'],
    ['is full from the start', 0, 100, 'ENOSPC: no space left'],
  ])('that %s', async (_name, room, most, message) => {
    const { take, text } = disk(room, most)
    const output = createOutput(fileStream(take))
    output.write('first line\n')
    output.write('second line\n')
    expect((await output.end())?.message).toBe(message)
    expect(text()).toBe('first line\nsecond line\n'.slice(0, room))
  })
})
