// What somebody else has written, in a line of ours: it can neither end the line and forge the next
// one, nor steer the reader's terminal, nor turn the text around. Pure.

// C0, DEL and C1; line and paragraph separators; every character that changes the direction of text (Bidi_Control).
const STEERING = /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g
const RUNS = new RegExp(`${STEERING.source}+`, 'g')

/** The text with each run of such characters as one space. */
export const oneLine = (text: string): string => text.replaceAll(RUNS, ' ')

/** JSON that says the same to its reader, and steers no terminal: JSON itself escapes the first 32 only. */
export const plainJson = (json: string): string =>
  json.replaceAll(STEERING, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
