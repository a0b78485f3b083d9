// The control socket and the folder of pipes beside it, where shim and children share a folder with us. Others may
// connect to the one and make names in the other, but neither remove nor replace them. Fails closed: where
// somebody else's name lies in the place of either, it does not listen.

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { Proof } from './proof.ts'

/** An earlier run's shim kills its children when it loses us; this long before we listen again. */
const EARLIER_RUN_MS = 1000
/** Who has not shown yet who he is; beyond it the first of them is put out. */
const MOST_WAITING = 8

export interface ControlSocketOptions extends Omit<ConnectionOptions, 'prove' | 'onClosed'> {
  readonly runDir: string
  /** The shim that had been admitted has gone, whoever ended that. */
  readonly onLost: () => void
}

export class ControlSocket {
  private readonly options: ControlSocketOptions
  private readonly server: Server
  private readonly waiting = new Set<Connection>()
  private current: Connection | undefined
  private proof: Proof | undefined

  constructor(options: ControlSocketOptions) {
    this.options = options
    this.server = createServer((socket) => this.accept(socket))
  }

  /** The one shim that has connected. */
  get connection(): Connection | undefined {
    return this.current
  }

  /** Makes the pipes folder and listens; waits first where an earlier run has left its traces. */
  async listen(): Promise<void> {
    const { runDir, log } = this.options
    const path = this.path
    this.proof = new Proof({ runDir, log })
    if (existsSync(path) || existsSync(pipesIn(runDir))) {
      rmSync(path, { force: true })
      await sleep(EARLIER_RUN_MS)
    }
    makePipesFolder(runDir, log)
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(path, resolve)
    })
    this.server.on('error', (error) =>
      log.warn('the control socket failed', { error: messageOf(error) }),
    )
    chmodSync(path, 0o666)
  }

  /**
   * The connection ends before its name is free: a shim that has lost us kills every child first, so that whoever
   * takes the name then is about to die, and never becomes the peer of a shim that still serves. Node removes it, and what a child may put there in the next moment is not ours to remove.
   * The pipes folder stays: it tells the next sidecar that there was one (and goes with the pod).
   */
  close(): void {
    const { proof } = this
    this.proof = undefined
    proof?.close()
    this.current?.close()
    for (const one of this.waiting) one.close()
    this.server.close()
  }

  /** One shim at a time; until it is there, nobody who only says nothing can keep it out. */
  private accept(socket: Socket): void {
    const { proof } = this
    if (this.current !== undefined || proof === undefined) {
      socket.destroy()
      return
    }
    const [first] = this.waiting
    if (first && this.waiting.size >= MOST_WAITING) this.putOut(first)
    const connection: Connection = new Connection(socket, {
      ...this.options,
      prove: proof.refusal,
      onAdmitted: (peer) => {
        this.admitted(connection)
        this.options.onAdmitted(peer)
      },
      onClosed: () => this.closed(connection),
    })
    this.waiting.add(connection)
  }

  private putOut(connection: Connection): void {
    this.waiting.delete(connection)
    connection.close()
  }

  private admitted(connection: Connection): void {
    this.waiting.delete(connection)
    for (const other of this.waiting) this.putOut(other)
    this.current = connection
    this.proof?.met()
  }

  private closed(connection: Connection): void {
    this.waiting.delete(connection)
    if (this.current !== connection) return
    this.current = undefined
    this.proof?.lost()
    this.options.onLost()
  }

  private get path(): string {
    return `${this.options.runDir}/control`
  }
}

export const pipesIn = (runDir: string): string => `${runDir}/pipes`

/** A new and empty folder, whatever lay there: others may make names in it but not list them. */
export const makePipesFolder = (runDir: string, log: Log): void => {
  const folder = pipesIn(runDir)
  setAside(folder, log)
  mkdirSync(folder)
  // Sticky, write and search only.
  chmodSync(folder, 0o1733)
}

/** A child may have left a folder there that we cannot empty: it must not keep us from starting. */
const setAside = (folder: string, log: Log): void => {
  if (!existsSync(folder)) return
  const aside = `${folder}.${randomBytes(8).toString('hex')}`
  renameSync(folder, aside)
  try {
    rmSync(aside, { recursive: true, force: true })
  } catch (error) {
    log.warn('an earlier pipes folder stays', { error: messageOf(error) })
  }
}
