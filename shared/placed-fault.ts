// What is wrong with a document, and where it stands. Pure.

export interface Place {
  readonly line: number
  readonly column: number
}

export interface PlacedFault extends Place {
  readonly message: string
}

/** `line 3, column 5: …` */
export const placedWords = ({ line, column, message }: PlacedFault): string =>
  `line ${line}, column ${column}: ${message}`
