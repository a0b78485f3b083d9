// What a shim shows the sidecar of itself, for tests that stand in its place, and for those that only pretend to.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, truncateSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { frame, VERSION } from './shim-frame.ts'

const NOTHING = '0'.repeat(32)

export interface Features {
  readonly uid?: number
  readonly landlockAbi?: number
  readonly flags?: number
  readonly version?: number
}

export interface FakeShown {
  readonly secret: string
  readonly mark: string
  readonly found: string
}

export const aSecret = (): string => randomBytes(16).toString('hex')

/** HELLO of a shim that shows this. */
export const helloFrame = (
  { secret, mark, found }: FakeShown,
  { uid = 7, landlockAbi = 6, flags = 0, version = VERSION }: Features = {},
): Buffer =>
  frame(
    0x81,
    Buffer.concat([
      Buffer.of(0, version, 0, 0, 0, uid, landlockAbi, flags),
      Buffer.from(`${secret}${mark}${found}`),
    ]),
  )

/** What lies there for the first who looks. */
export const leftIn = (runDir: string): string => readFileSync(join(runDir, 'proof'), 'latin1')

/** The words of one shim, for as long as it lives. */
export class FakeShim {
  readonly secret = aSecret()
  readonly mark = aSecret()
  private readonly runDir: string
  private found = NOTHING
  private life: Server | undefined

  constructor(runDir: string) {
    this.runDir = runDir
  }

  /** As the shim has its name: nobody can take it. */
  async live(): Promise<void> {
    const life = createServer((asking) => asking.destroy())
    this.life = life.listen(`\0outrigger-shim-${this.mark}`)
    await once(this.life, 'listening')
  }

  async end(): Promise<void> {
    const { life } = this
    this.life = undefined
    if (life) await new Promise((resolve) => life.close(resolve))
  }

  /** Takes what the sidecar has left, where it has. */
  look(): void {
    const left = leftIn(this.runDir)
    if (left === '') return
    this.found = left
    truncateSync(join(this.runDir, 'proof'))
  }

  hello(features: Features = {}): Buffer {
    this.look()
    const { secret, mark, found } = this
    return helloFrame({ secret, mark, found }, features)
  }
}
