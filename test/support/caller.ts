// Calls from within a network namespace, of which this process is no part.

import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { within } from './waiting.ts'

const CALLER = join(import.meta.dirname, '../fixtures/pod-caller.ts')

/** What was answered over HTTP; status 0 and the error's code where nobody answered. */
export interface HttpAnswer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

export interface HttpQuestion {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const answerIn = (json: string): HttpAnswer => {
  const answer: unknown = JSON.parse(json)
  const isAnswer =
    typeof answer === 'object' && answer !== null && 'status' in answer && 'text' in answer
  if (!isAnswer) throw new Error(`no answer: ${json}`)
  const headers = 'headers' in answer && typeof answer.headers === 'object' ? answer.headers : {}
  return { status: Number(answer.status), text: String(answer.text), headers: { ...headers } }
}

type Question =
  { readonly host: string; readonly port: number } | (HttpQuestion & { readonly url: string })

/** Who calls from where these words lead, a network namespace: a program that is started once it has to. */
export class Caller {
  private readonly enter: readonly string[]
  private readonly waiting: ((line: string) => void)[] = []
  private program: ChildProcess | undefined

  constructor(enter: readonly string[]) {
    this.enter = enter
  }

  private start(): ChildProcess {
    const [file, ...words] = [...this.enter, process.execPath, CALLER]
    const program = spawn(file, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: program.stdout }).on('line', (line) => this.waiting.shift()?.(line))
    return program
  }

  ask(question: Question): Promise<HttpAnswer> {
    this.program ??= this.start()
    const answer = new Promise<string>((resolve) => this.waiting.push(resolve))
    this.program.stdin?.write(`${JSON.stringify(question)}\n`)
    return within(answer, () => `an answer to ${JSON.stringify(question)}`).then(answerIn)
  }

  close(): void {
    this.program?.kill('SIGKILL')
  }
}
