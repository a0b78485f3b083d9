// Waiting in tests: for something that must come, never for time to pass. Every wait ends, and says
// what it waited for.

import type { Socket } from 'node:net'

const WAIT_MS = 60_000
/** At first, and at most: a look costs those their time that are looked at, and the machine has few cores. */
const LOOK_AGAIN_MS = 5
const MAX_LOOK_AGAIN_MS = 40

/** Waits, but not for ever: then says what it waited for. */
export const within = async <T>(promise: Promise<T>, what: () => string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what()}`)), WAIT_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Looks again and again until there is something to return. */
export const until = async <T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
): Promise<T> => {
  const giveUpAt = Date.now() + WAIT_MS
  for (let pauseMs = LOOK_AGAIN_MS; ; pauseMs = Math.min(pauseMs * 1.25, MAX_LOOK_AGAIN_MS)) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > giveUpAt) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

/** Everything a readable says until its end. */
export const readAll = async (stream: Socket): Promise<string> => {
  const parts: Buffer[] = []
  stream.on('data', (bytes: Buffer) => parts.push(bytes))
  stream.resume()
  await within(
    new Promise<void>((resolve) => {
      if (stream.closed) resolve()
      stream.once('close', () => resolve())
    }),
    () => `the end of a stream; so far: ${Buffer.concat(parts).toString()}`,
  )
  return Buffer.concat(parts).toString()
}

/** The next line that a readable says. */
export const readLine = (stream: Socket): Promise<string> => {
  let text = ''
  const line = new Promise<string>((resolve, reject) => {
    const onClose = (): void => reject(new Error(`the stream ended after ${JSON.stringify(text)}`))
    const onData = (bytes: Buffer): void => {
      text += bytes.toString()
      const end = text.indexOf('\n')
      if (end < 0) return
      stream.off('data', onData)
      stream.off('close', onClose)
      stream.pause()
      if (end + 1 < text.length) stream.unshift(Buffer.from(text.slice(end + 1)))
      resolve(text.slice(0, end))
    }
    stream.on('data', onData)
    stream.once('close', onClose)
    stream.resume()
  })
  return within(line, () => `a line; so far: ${JSON.stringify(text)}`)
}
