// Room for what is found anew among what the controller has found before: where a namespace has had its share, what was found for
// it first goes, and where all have had theirs, that of whoever has most. What goes and is wanted still is looked up again when
// its pod comes. What people have recorded is not the controller's to take out. Pure.

import type { ImageIndex } from '../../shared/image-index.ts'

/** Of whom each mark is, the oldest first. */
export type Marks = Readonly<Record<string, readonly string[]>>

/** What an index holds by its marks. */
export interface Marked {
  readonly index: ImageIndex
  readonly marks: Marks
}

export interface Part {
  readonly kind: 'tag' | 'image'
  readonly name: string
  readonly bytes: number
}

/** How much there may be with what is to come. */
export interface Bounds {
  readonly bytes: number
  readonly ofNamespace: number
  /** Of all marks as they are written. */
  readonly text: number
}

export interface Coming {
  readonly namespace: string
  readonly bytes: number
  readonly marks: number
  /** Names of tags and images that are wanted now. */
  readonly wanted: ReadonlySet<string>
}

/** Without a member. */
export const without = <T>(
  record: Readonly<Record<string, T>>,
  name: string,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).filter(([one]) => one !== name))

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)

/** Of a mark, and of a namespace besides its name, with what stands around them. */
const [MARK_BYTES, NAME_BYTES] = [15, 6]

class FoundRoom {
  private index: ImageIndex
  private readonly marks: Map<string, readonly string[]>
  private readonly parts: ReadonlyMap<string, Part>

  constructor({ index, marks }: Marked, parts: ReadonlyMap<string, Part>) {
    this.index = index
    this.marks = new Map(
      Object.entries(marks).flatMap(([name, own]) => (own.length > 0 ? [[name, own]] : [])),
    )
    this.parts = parts
  }

  bytesOf(namespace: string): number {
    return sum((this.marks.get(namespace) ?? []).map((mark) => this.parts.get(mark)?.bytes ?? 0))
  }

  get bytes(): number {
    return sum([...this.marks.keys()].map((namespace) => this.bytesOf(namespace)))
  }

  /** How often something may be taken out: an image whose mark goes to another has its turn there. */
  get turns(): number {
    return 2 * sum([...this.marks.values()].map((own) => own.length))
  }

  /** What the marks take, with so many more for a namespace. */
  textWith(namespace: string, more: number): number {
    const names = new Set([...this.marks.keys(), namespace])
    const count = more + sum([...this.marks.values()].map((own) => own.length))
    return MARK_BYTES * count + sum([...names].map((name) => NAME_BYTES + name.length))
  }

  /** Who has most of it. */
  largest(size: (namespace: string) => number): string {
    const [first = ''] = [...this.marks.keys()].toSorted((a, b) => size(b) - size(a))
    return first
  }

  countOf(namespace: string): number {
    return this.marks.get(namespace)?.length ?? 0
  }

  /** A tag goes with what it alone has led to. Whether there was anything to take out. */
  takeOldest(namespace: string, wanted: ReadonlySet<string>): boolean {
    const own = this.marks.get(namespace) ?? []
    const oldest = own.find((mark) => !wanted.has(this.nameOf(mark)))
    if (oldest === undefined) return false
    const tagged = this.index.tags[this.nameOf(oldest)]
    this.take(namespace, oldest)
    if (tagged === undefined || wanted.has(tagged) || this.tagsTo(tagged).length > 0) return true
    const image = own.find((mark) => this.nameOf(mark) === tagged)
    if (image !== undefined) this.take(namespace, image)
    return true
  }

  whole(): Marked {
    return { index: this.index, marks: Object.fromEntries(this.marks) }
  }

  private tagsTo(digest: string): readonly string[] {
    return Object.entries(this.index.tags).flatMap(([tag, one]) => (one === digest ? [tag] : []))
  }

  private nameOf(mark: string): string {
    return this.parts.get(mark)?.name ?? ''
  }

  private take(namespace: string, mark: string): void {
    const name = this.nameOf(mark)
    const own = (this.marks.get(namespace) ?? []).filter((one) => one !== mark)
    if (own.length > 0) this.marks.set(namespace, own)
    else this.marks.delete(namespace)
    if (this.parts.get(mark)?.kind === 'tag')
      this.index = { ...this.index, tags: without(this.index.tags, name) }
    else this.takeImage(mark, name)
  }

  /** One that a tag leads to is whose that is: another namespace's that has found it, or the people's who have recorded it. */
  private takeImage(mark: string, digest: string): void {
    const names = new Set(this.tagsTo(digest))
    if (names.size === 0) {
      this.index = { ...this.index, images: without(this.index.images, digest) }
      return
    }
    const next = [...this.marks].find(([, own]) => own.some((one) => names.has(this.nameOf(one))))
    if (next) this.marks.set(next[0], [...next[1], mark])
  }
}

/** What is left where so much is to come. */
export const withRoomFor = (
  marked: Marked,
  parts: ReadonlyMap<string, Part>,
  coming: Coming,
  bounds: Bounds,
): Marked => {
  const room = new FoundRoom(marked, parts)
  const { namespace, wanted } = coming
  const victim = (): string | undefined => {
    if (room.bytesOf(namespace) + coming.bytes > bounds.ofNamespace) return namespace
    if (room.bytes + coming.bytes > bounds.bytes) return room.largest((one) => room.bytesOf(one))
    if (room.textWith(namespace, coming.marks) > bounds.text)
      return room.largest((one) => room.countOf(one))
    return undefined
  }
  for (let left = room.turns; left > 0; left -= 1) {
    const next = victim()
    if (next === undefined || !room.takeOldest(next, wanted)) break
  }
  return room.whole()
}
