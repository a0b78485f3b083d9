// What a test's client answers to a server's requests, and what it has been told: shared by the
// adapters of both client lines. A test changes `answers` at any time; nothing is answered by chance.

export type Reply = Record<string, unknown>

export type Sampled = {
  role: 'assistant'
  model: string
  content: { type: 'text'; text: string }
  stopReason?: string
}
export type Elicited = {
  action: 'accept' | 'decline' | 'cancel'
  content?: Record<string, string | number | boolean | string[]>
}
export type Root = { uri: string; name?: string }

/** The answers, by what is asked; each sees the request's params. */
export type Answers = {
  sampling: (params: Readonly<Reply>) => Sampled
  elicitation: (params: Readonly<Reply>) => Elicited
  roots: () => Root[]
}

/** Answers that say that nobody expected the question. */
export const unexpected = (): Answers => ({
  sampling: () => {
    throw new Error('nobody expected sampling')
  },
  elicitation: () => {
    throw new Error('nobody expected an elicitation')
  },
  roots: () => [],
})

export type Told = { readonly method: string; readonly params: Readonly<Reply> }

/** Notifications in the order of their arrival; a test takes those that it waits for. */
export class Notifications {
  readonly #told: Told[] = []
  readonly #waiting = new Set<() => void>()

  add(method: string, params: Readonly<Reply> | undefined): void {
    this.#told.push({ method, params: params ?? {} })
    for (const wake of this.#waiting) wake()
  }

  /** Takes the next one of that method, waiting for it where none has come yet. */
  async next(method: string, matches: (params: Reply) => boolean = () => true): Promise<Reply> {
    for (;;) {
      const index = this.#told.findIndex((one) => one.method === method && matches(one.params))
      const [found] = index < 0 ? [] : this.#told.splice(index, 1)
      if (found !== undefined) return found.params
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake)
          resolve()
        }
        this.#waiting.add(wake)
      })
    }
  }

  /** How many of that method wait to be taken. */
  count(method: string): number {
    return this.#told.filter((one) => one.method === method).length
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#told.length = 0
  }
}
