// What no message may hold: the words of a library, of the runtime or of the system as they came, which say neither
// where nor what to do.

const RAW: readonly (readonly [whose: string, words: RegExp])[] = [
  ['the system', /\bE[A-Z]{3,}: |\b(?:getaddrinfo|connect|listen|spawn|read|write) E[A-Z]{3,}\b/],
  ['the system', /, (?:open|read|mkdir|stat|scandir|copyfile|rename) '/],
  ['a stack', /^\s+at .+:\d+:\d+\)?$/m],
  ['the runtime', /\(node:\d+\)|\bnode:[a-z_]+:\d+/],
  ['the runtime', /\b(?:Type|Range|Reference|Syntax|Aggregate|Eval|URI)Error\b/],
  ['the runtime', /Cannot read propert|is not a function|is not iterable|Invalid string length/],
  ['the runtime', /\[object \w+\]|\bundefined\b|\bNaN\b/],
  ['JSON', /Unexpected (?:token|end of JSON|non-whitespace)|JSON at position/],
  ['its parser of flags', /Unknown option|argument missing|does not take an argument/],
  ['zod', /Unrecognized key|Invalid (?:input|option|type)|expected \w+, received/i],
  ['yaml', /Implicit (?:map|keys)|Nested mappings|Unresolved (?:alias|tag)|Plain value cannot/],
  ['yaml', /Map keys must be unique|Keys with collection|complex keys|at line \d+, column \d+:/],
  ['OpenSSL', /\berror:[0-9A-F]{8}|\broutines:|\bSSL_\w+|self-signed certificate/i],
  ['HTTP', /fetch failed|socket hang up|other side closed|Parse Error|HTTP-Code|UND_ERR_\w+: /],
]

/** Whose words stand in a text as they came; empty where none do. */
export const rawWordsIn = (text: string): readonly string[] =>
  RAW.flatMap(([whose, words]) => {
    const [found] = words.exec(text) ?? []
    return found === undefined ? [] : [`${whose}: ${found.trim()}`]
  })
