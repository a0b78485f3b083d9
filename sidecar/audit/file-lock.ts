// One writer a file: beside it stands `.NAME.lock`, which says what process writes it and is touched every second. It
// outlives a process that is killed. Whoever finds one looks for that process, where both are in one PID namespace of one
// machine, and else waits whether it is touched. Advisory: it holds back nobody who does not ask.

import { readFile, readlink, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../shared/error-code.ts'

const OWNER_ONLY = 0o600
/** Who has not touched a lock for so long has gone. */
const SILENT_MS = 5000
const ASK_MS = 250
/** Who takes over a lock looks once more after so long whether somebody else has, too. */
const SETTLE_MS = 100

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

/** When a process started, in the kernel's clock ticks; empty where it has ended. */
const startOf = async (pid: string): Promise<string> => {
  const status = await textOf(`/proc/${pid}/stat`)
  return status.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** Undefined where there is none; rejects where nobody can say what stands there. */
const existing = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Where process ids mean the same: a boot of a machine, and a namespace. A sandbox's kernel may have no id of a boot. */
const space = async (): Promise<string> => {
  const boot = (await textOf('/proc/sys/kernel/random/boot_id')).trim()
  const names = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${boot} ${names}`
}

/** Without one of the two, another machine's or another sandbox's may look the same. */
const isKnown = (place: string): boolean => /^\S+ \S+$/.test(place)

const isSilent = async (path: string, text: string): Promise<boolean> => {
  const touched = async (): Promise<number> =>
    (await stat(path).catch(() => undefined))?.mtimeMs ?? 0
  const before = await touched()
  for (let waitedMs = 0; waitedMs < SILENT_MS; waitedMs += ASK_MS) {
    await sleep(ASK_MS)
    if ((await touched()) !== before || (await textOf(path)) !== text) return false
  }
  return true
}

/** Whether who holds a lock runs still. */
const isHeld = async (path: string, own: string): Promise<boolean> => {
  const text = await textOf(path)
  const [, pid = '', start, place] = /^(\d+) (\d+) (.*)\n$/.exec(text) ?? []
  return place === own && isKnown(own)
    ? (await startOf(pid)) === start
    : !(await isSilent(path, text))
}

const isMade = async (path: string, text: string): Promise<boolean> => {
  try {
    await writeFile(path, text, { flag: 'wx', mode: OWNER_ONLY })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    // It is there then, and empty: whoever finds it sees that it is touched.
    if (FULL.has(codeOf(error))) return true
    throw error
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const HELD = 'another sidecar writes it: give each a file of its own'

export class FileLock {
  private readonly path: string
  private readonly text: string

  private constructor(path: string, text: string) {
    this.path = path
    this.text = text
  }

  /** Rejects where another process holds it. */
  static async take(file: string, here = space): Promise<FileLock> {
    const path = join(dirname(file), `.${basename(file)}.lock`)
    const own = await here()
    const text = `${process.pid} ${await startOf('self')} ${own}\n`
    const lock = new FileLock(path, text)
    if (await isMade(path, text)) return lock
    if (await isHeld(path, own)) throw new Error(HELD)
    await unlink(path).catch(() => undefined)
    if (!(await isMade(path, text))) throw new Error(HELD)
    await sleep(SETTLE_MS)
    if (!(await lock.isOurs())) throw new Error(HELD)
    return lock
  }

  /** Says that we run still; false where another process has taken it. Rejects as the system does. */
  async touch(nowMs: number): Promise<boolean> {
    const text = await existing(this.path)
    if (text === undefined || text === '')
      await writeFile(this.path, this.text, { mode: OWNER_ONLY })
    else if (text !== this.text) return false
    await utimes(this.path, nowMs / 1000, nowMs / 1000)
    return true
  }

  async release(): Promise<void> {
    if (await this.isOurs()) await unlink(this.path).catch(() => undefined)
  }

  private async isOurs(): Promise<boolean> {
    return (await textOf(this.path)) === this.text
  }
}
