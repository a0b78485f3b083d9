// Edits at offsets of a text as it was. Pure.

export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Edited {
  readonly text: string
  /** Where in it the text of an edit begins. */
  readonly placeOf: (edit: Edit) => number
}

/** A piece of a text, from an offset on, after its edits; those at one place go in the order in which they were made. */
export const applyEdits = (text: string, base: number, edits: readonly Edit[]): Edited => {
  const places = new Map<Edit, number>()
  const parts: string[] = []
  let [done, length] = [0, 0]
  const push = (part: string): void => {
    parts.push(part)
    length += part.length
  }
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    push(text.slice(done, edit.start - base))
    places.set(edit, length)
    push(edit.text)
    done = edit.end - base
  }
  push(text.slice(done))
  return { text: parts.join(''), placeOf: (edit) => places.get(edit) ?? 0 }
}
