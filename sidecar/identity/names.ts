// The addresses of names. The system's lookup holds one of Node's few threads until it is done, and nobody can end it: a
// name server that does not answer must not get them all, whoever asks how often.

/** Lookups at once, of all names together. */
const MAX_AT_ONCE = 2

export type Lookup = (name: string) => Promise<readonly string[]>

export class Names {
  private readonly lookup: Lookup
  private readonly running = new Map<string, Promise<readonly string[]>>()

  constructor(lookup: Lookup) {
    this.lookup = lookup
  }

  /** Rejects where too many others are looked up; whoever asks for a name that is, waits for the same answer. */
  async addresses(name: string): Promise<readonly string[]> {
    const running = this.running.get(name)
    if (running) return running
    if (this.running.size >= MAX_AT_ONCE) throw new Error('the name server does not answer')
    const found = this.lookup(name).finally(() => this.running.delete(name))
    this.running.set(name, found)
    return found
  }
}
