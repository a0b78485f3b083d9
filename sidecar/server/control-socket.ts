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

/** An earlier run's shim kills its children when it loses us; this long before we listen again. */
const EARLIER_RUN_MS = 1000

export interface ControlSocketOptions extends ConnectionOptions {
  readonly runDir: string
}

export class ControlSocket {
  private readonly options: ControlSocketOptions
  private readonly server: Server
  private current: Connection | undefined

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
    this.current?.close()
    this.server.close()
  }

  /** One at a time. */
  private accept(socket: Socket): void {
    if (this.current !== undefined) {
      socket.destroy()
      return
    }
    const { onClosed } = this.options
    this.current = new Connection(socket, {
      ...this.options,
      onClosed: (wasAdmitted) => {
        this.current = undefined
        onClosed(wasAdmitted)
      },
    })
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
