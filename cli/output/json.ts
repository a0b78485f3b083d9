// JSON for programs, of what others have written: who reads it on a terminal is steered by none of it. Pure.

import { plainJson } from '../../shared/one-line.ts'

/** A value over several lines. Its own line ends stay; all that stands in a text is escaped. */
export const jsonText = (value: object): string =>
  `${JSON.stringify(value, null, 2).split('\n').map(plainJson).join('\n')}\n`
