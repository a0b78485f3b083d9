// Room for what is known of a cluster: so much in all, and so much of one namespace, so that nobody who may write objects
// there can fill it for the others. Pure.

export class Room {
  private readonly most: number
  private readonly mostOfNamespace: number
  /** Of those that have any. */
  private readonly byNamespace = new Map<string, number>()
  private held = 0

  constructor(most: number, mostOfNamespace: number) {
    this.most = most
    this.mostOfNamespace = mostOfNamespace
  }

  has(namespace: string): boolean {
    return this.byNamespace.has(namespace)
  }

  /** Whether there was room for it; `size` is more than nothing. */
  take(namespace: string, size: number): boolean {
    const own = (this.byNamespace.get(namespace) ?? 0) + size
    if (this.held + size > this.most || own > this.mostOfNamespace) return false
    this.held += size
    this.byNamespace.set(namespace, own)
    return true
  }

  /** The same, and no namespace has more than it leaves to all others together: some that take whatever they may leave room
   * for the next. */
  takeShare(namespace: string, size: number): boolean {
    const own = (this.byNamespace.get(namespace) ?? 0) + size
    return own <= this.most - this.held - size && this.take(namespace, size)
  }

  /** As much as was taken. */
  release(namespace: string, size: number): void {
    this.held -= size
    const left = (this.byNamespace.get(namespace) ?? 0) - size
    if (left > 0) this.byNamespace.set(namespace, left)
    else this.byNamespace.delete(namespace)
  }
}

/** What a text takes: one letter beyond Latin-1 gives each of its letters two bytes. */
export const textSize = (text: string): number =>
  /[^\u0000-\u00ff]/.test(text) ? 2 * text.length : text.length
