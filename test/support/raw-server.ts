// `outrigger run` around the raw server: what each of its processes has read, and how the next one starts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startOutrigger, type Bridge } from './outrigger-run.ts'
import type { RawSession } from './raw-http.ts'

const SERVER = fileURLToPath(new URL('../fixtures/raw-server.ts', import.meta.url))

export type RawBridge = Bridge & {
  /** The bytes that the session's process has read so far. */
  readonly recorded: (session: RawSession) => Promise<Buffer>
  /** How the next process starts: '' as it should. */
  readonly mood: (text: string) => void
}

/** `first`: how its first processes start. */
export const startRaw = async (flags: readonly string[] = [], first = ''): Promise<RawBridge> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-raw-'))
  const mood = join(folder, 'mood')
  const cleanUp = (): void => rmSync(folder, { recursive: true, force: true })
  if (first !== '') writeFileSync(mood, first)
  const command = [process.execPath, SERVER, folder, mood]
  const bridge = await startOutrigger(command, { flags }).catch((error: unknown) => {
    cleanUp()
    throw error
  })
  return {
    ...bridge,
    recorded: async (session) => {
      const pid = /"text":"(\d+)"/.exec(await session.call('pid'))?.[1] ?? ''
      return readFileSync(join(folder, pid))
    },
    mood: (text) => (text === '' ? rmSync(mood, { force: true }) : writeFileSync(mood, text)),
    stop: async () => {
      await bridge.stop()
      cleanUp()
    },
  }
}
