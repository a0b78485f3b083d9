// Cuts a manifest into its documents and puts it together again, byte for byte. Document markers
// stand at the start of a line and nowhere else, whatever surrounds them (YAML 1.2, section 9.1.2),
// so that cutting needs no parser.

/** The documents' texts, markers included; joined, they are the whole text again. */
export const splitStream = (text: string): readonly string[] =>
  text.split(/^(?=---(?:[ \t\r\n]|$))|(?<=^\.\.\.[ \t]*\r?\n)/m).filter((part) => part !== '')

/** Whether a document holds nothing but comments, directives, markers and space. */
export const isBlank = (text: string): boolean =>
  text
    .split(/\r?\n/)
    .every((line) => /^(?:---|\.\.\.)?[ \t]*(?:#.*)?$/.test(line) || line.startsWith('%'))
