// A text with its lines. Every question about one is answered by halving: a manifest may be one line of megabytes. Pure.

export interface LinedText {
  readonly text: string
  /** The number of the line that an offset is in, from 1. */
  readonly lineOf: (offset: number) => number
  /** Where that line begins. */
  readonly lineStart: (offset: number) => number
  /** Where the next one does; the text's end where there is none. */
  readonly nextLine: (offset: number) => number
}

export const linedText = (text: string): LinedText => {
  const starts = [0]
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    starts.push(end + 1)
  }
  const lineOf = (offset: number): number => {
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
  return {
    text,
    lineOf,
    lineStart: (offset) => starts[lineOf(offset) - 1] ?? 0,
    nextLine: (offset) => starts[lineOf(offset)] ?? text.length,
  }
}

/** Whether nothing but these characters stands before an offset in its line. */
export const isLed = ({ text, lineStart }: LinedText, offset: number, by: RegExp): boolean => {
  for (let at = lineStart(offset); at < offset; at += 1) {
    if (!by.test(text[at] ?? '')) return false
  }
  return true
}
