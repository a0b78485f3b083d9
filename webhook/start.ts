// How webhook and controller begin and end, which is the same for both: over the process that each one's composition root
// hands in.

import { isHelp } from '../shared/help.ts'
import { MAX_INDEX_BYTES } from '../shared/image-index.ts'
import type { KeptFile } from '../shared/kept-file.ts'
import { createLog, type Level, type Log } from '../shared/log.ts'
import { messageOf } from '../shared/message.ts'
import type { Result } from '../shared/result.ts'
import { textFile, type TextSource } from '../shared/text-source.ts'
import type { ClusterConfig } from './cluster/config.ts'
import { openConfig } from './cluster/config-file.ts'
import { clusterWords } from './kube/words.ts'

type Process = Pick<NodeJS.Process, 'argv' | 'exit' | 'once' | 'stderr' | 'stdout'>

/** A kubelet takes up to a minute to write a changed ConfigMap. */
export const FILES_CHECK_MS = 2000

/** No ConfigMap holds more. */
export const mountedText = (file: string): TextSource => textFile(file, MAX_INDEX_BYTES)

export class Program {
  private readonly name: string
  private readonly process: Process

  constructor(name: string, process: Process) {
    this.name = name
    this.process = process
  }

  /** Ends it, and says why. */
  exit(code: number, lines: readonly string[], help = ''): never {
    const { stderr } = this.process
    stderr.write(lines.map((line) => `outrigger ${this.name}: ${line}\n`).join('') + help)
    return this.process.exit(code)
  }

  options<T>(parse: (args: readonly string[]) => Result<T, string[]>, usage: string): T {
    const args = this.process.argv.slice(2)
    if (isHelp(args)) {
      this.process.stdout.write(usage)
      return this.process.exit(0)
    }
    const options = parse(args)
    return options.ok ? options.value : this.exit(2, options.error, usage)
  }

  log(level: Level): Log {
    const { stdout } = this.process
    return createLog({ level, write: (line) => stdout.write(line), now: Date.now })
  }

  /** Nobody begins without a cluster configuration, or with one that has a fault. */
  async config(file: string, log: Log): Promise<KeptFile<ClusterConfig>> {
    const config = await openConfig({ source: mountedText(file), log })
    if (config.ok) return config.value
    return this.exit(
      2,
      config.error.map((line) => `${file}: ${line}`),
    )
  }

  cannotStart(error: unknown): never {
    return this.exit(1, [`cannot start: ${clusterWords(error)}`])
  }

  /** Ends in order when it is asked to. */
  onEnd(stop: () => Promise<void>, log: Log): void {
    const stopAndExit = (): void => {
      stop().then(
        () => this.process.exit(0),
        (error: unknown) => {
          log.error('the drain failed', { error: messageOf(error) })
          this.process.exit(1)
        },
      )
    }
    this.process.once('SIGTERM', stopAndExit)
    this.process.once('SIGINT', stopAndExit)
  }
}
