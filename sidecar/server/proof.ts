// Who may stand at the control socket: the shim, and no other process that somebody runs in the server's container. Whoever shows the
// secret of the shim that is known is it. A new one is known by what we have left in the shared folder, which it takes before
// any other process of its container has run; and that lies there only while no shim that is known lives. Fails closed: who
// shows neither is refused (sidecar/shim/README.md, "Who we are").

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { Shown } from './control-frame.ts'
import { ProofFiles } from './proof-files.ts'
import { lifeOf } from './shim-life.ts'

const LOOK_MS = 100
/** Looks after which what was taken, or written over, and never shown, is replaced: whoever took it has ended before it could. */
const LOOKS_AFTER_TAKEN = 100
/** Looks after which a shim of which the kernel does not tell is taken to have ended. */
const LOOKS_IN_DOUBT = 50
const SECRET_BYTES = 16

const STRANGER = "it has not shown itself to be the first process of the server's container"

const SECRET = /^[0-9a-f]{32}$/
const KNOWN = /^([0-9a-f]{32})([0-9a-f]{64})$/

/** The secret itself is not kept: whoever reads this cannot pass for the shim. */
interface Known {
  readonly mark: string
  readonly digest: string
}

const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

const isEqual = (left: string, right: string): boolean =>
  left.length === right.length &&
  timingSafeEqual(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'))

/** Empty where none was known yet. */
const parseKnown = (text: string): Known | undefined => {
  if (text === '') return undefined
  const [, mark, digest] = KNOWN.exec(text) ?? []
  if (mark === undefined || digest === undefined) {
    throw new Error('what is known of the shim cannot be read: create the pod anew')
  }
  return { mark, digest }
}

export interface ProofOptions {
  /** The folder that we share with the shim. */
  readonly runDir: string
  readonly log: Log
}

export class Proof {
  private readonly options: ProofOptions
  private readonly files: ProofFiles
  private known: Known | undefined
  private offered: string | undefined
  private timer: NodeJS.Timeout | undefined
  /** Looks since what we wait for has begun. */
  private looks = 0

  /** Throws where it cannot be known who is who. */
  constructor(options: ProofOptions) {
    this.options = options
    this.files = new ProofFiles(options.runDir)
    try {
      this.known = parseKnown(this.files.read())
    } catch (error) {
      this.files.close()
      throw error
    }
    if (!this.known) this.offer()
    this.begin()
  }

  /** The sentence that refuses whoever shows this; undefined where it is the shim. */
  readonly refusal = (shown: Shown): string | undefined =>
    this.isKnown(shown) || this.isNew(shown) ? undefined : STRANGER

  /** The shim is there, and will be until we lose it. */
  met(): void {
    this.stop()
    this.offered = undefined
    this.files.withdraw()
  }

  /** The shim has gone: it comes back, or has ended and another comes. */
  lost(): void {
    this.begin()
  }

  close(): void {
    this.stop()
    this.files.close()
  }

  private begin(): void {
    this.stop()
    this.looks = 0
    this.timer = setInterval(() => void this.look(), LOOK_MS)
    void this.look()
  }

  private stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private async look(): Promise<void> {
    const { known } = this
    this.looks++
    if (this.offered !== undefined) {
      this.renew(this.offered)
      return
    }
    const life = known ? await lifeOf(known.mark) : 'gone'
    // Meanwhile it may have come, or we have closed.
    if (this.timer === undefined || this.known !== known || this.offered !== undefined) return
    if (life === 'gone' || (life === 'unknown' && this.looks >= LOOKS_IN_DOUBT)) this.offer()
  }

  private renew(offered: string): void {
    if (this.files.isLeft(offered)) this.looks = 0
    else if (this.looks >= LOOKS_AFTER_TAKEN) this.offer()
  }

  private isKnown({ secret }: Shown): boolean {
    return this.known !== undefined && isEqual(digestOf(secret), this.known.digest)
  }

  private isNew({ secret, mark, found }: Shown): boolean {
    if (this.offered === undefined || !isEqual(found, this.offered)) return false
    if (!SECRET.test(secret) || !SECRET.test(mark)) return false
    const digest = digestOf(secret)
    if (!this.tries(() => this.files.keep(`${mark}${digest}`))) return false
    this.offered = undefined
    this.known = { mark, digest }
    return true
  }

  private offer(): void {
    const offered = randomBytes(SECRET_BYTES).toString('hex')
    if (!this.tries(() => this.files.offer(offered))) return
    this.looks = 0
    this.offered = offered
  }

  /** The folder is shared: whoever else writes there may have filled it. */
  private tries(write: () => void): boolean {
    try {
      write()
      return true
    } catch (error) {
      this.options.log.warn('no new shim can be known', { error: messageOf(error) })
      return false
    }
  }
}
