// The file that a tool policy stands in: read at the start, and again whenever it has changed. A mounted ConfigMap changes
// by a link that is put in its folder's place, so the file is looked at anew each time. Fails closed: without a good
// policy nothing starts, and one that cannot be read leaves the last good one in force.

import { open, stat } from 'node:fs/promises'
import { codeOf } from '../../shared/error-code.ts'
import type { Log } from '../../shared/log.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Policy } from '../../shared/policy/decide.ts'

/** From a policy's text to what decides; the errors are sentences. */
export type ReadPolicyText = (text: string) => Result<Policy, readonly string[]>

export interface PolicyFileOptions {
  readonly path: string
  readonly read: ReadPolicyText
  readonly log: Log
  /** Counts what became of a change. */
  readonly onReload: (outcome: 'taken' | 'refused') => void
  /** Another policy holds. */
  readonly onChange: () => void
}

const MAX_BYTES = 1024 * 1024
/** How often it is looked at: a change has to count within seconds. */
const LOOK_MS = 1000

const textOf = async (path: string): Promise<Result<string, string>> => {
  const file = await open(path).catch((error: unknown) => codeOf(error))
  if (typeof file === 'string') return fail(`it cannot be read (${file})`)
  try {
    if ((await file.stat()).size > MAX_BYTES) return fail(`it has more than ${MAX_BYTES} bytes`)
    const bytes = await file.readFile()
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    return fail(`it cannot be read (${codeOf(error) || 'no UTF-8'})`)
  } finally {
    await file.close()
  }
}

/** Which file it is, and in which state: equal as long as there is nothing new to read. */
const stampOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ ino, size, mtimeMs, ctimeMs }) => [ino, size, mtimeMs, ctimeMs].join(' '),
    (error: unknown) => codeOf(error),
  )

export class PolicyFile {
  /** The last good one. */
  policy: Policy
  private readonly options: PolicyFileOptions
  /** What was read last, good or not: each is told once. */
  private seen: string
  private stamp = ''
  private timer: NodeJS.Timeout | undefined

  private constructor(options: PolicyFileOptions, policy: Policy, seen: string) {
    this.options = options
    this.policy = policy
    this.seen = seen
  }

  /** Rejects with everything that is wrong. */
  static async open(options: PolicyFileOptions): Promise<PolicyFile> {
    const text = await textOf(options.path)
    const read = text.ok ? options.read(text.value) : fail([text.error])
    if (!text.ok || !read.ok) {
      const errors = read.ok ? [] : read.error
      throw new Error(`the tool policy ${options.path} cannot be used: ${errors.join('; ')}`)
    }
    const file = new PolicyFile(options, read.value, text.value)
    file.lookLater()
    return file
  }

  /** One look after the other, so that none overtakes a newer one. */
  private lookLater(): void {
    this.timer = setTimeout(() => {
      void this.look().finally(() => {
        if (this.timer !== undefined) this.lookLater()
      })
    }, LOOK_MS)
  }

  /** Looks whether it has changed, and takes it over where it is good. */
  private async look(): Promise<void> {
    const stamp = await stampOf(this.options.path)
    if (stamp === this.stamp) return
    this.stamp = stamp
    const text = await textOf(this.options.path)
    const what = text.ok ? text.value : text.error
    if (what === this.seen || this.timer === undefined) return
    this.seen = what
    const read = text.ok ? this.options.read(text.value) : fail([text.error])
    const { log, path, onReload, onChange } = this.options
    if (!read.ok) {
      onReload('refused')
      log.error('the tool policy has changed and cannot be used: the one before it holds', {
        path,
        why: read.error.join('; '),
      })
      return
    }
    this.policy = read.value
    onReload('taken')
    log.info('the tool policy has changed, and holds', { path })
    onChange()
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
