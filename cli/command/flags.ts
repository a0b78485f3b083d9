// The flags of a subcommand as one table: what the parser takes, what the help and the README list, what a shell
// completes. Everything that is wrong with what was typed is told at once, in words. Pure.

import { parseArgs } from 'node:util'
import { nearest } from '../../shared/nearest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

export interface Flag {
  readonly doc: string
  /** What its value is, in capitals, as the help has it; absent: it is a switch. */
  readonly value?: string
  /** One letter. */
  readonly short?: string
  /** What it is without a word. */
  readonly default?: string
  /** The words that its value may be, where these are few. */
  readonly words?: readonly string[]
}

export type FlagTable = Readonly<Record<string, Flag>>

/** What was typed. */
export interface Given {
  /** A flag's value: the last, where it was given several times, else its default. */
  readonly text: (name: string) => string | undefined
  /** Every time that it was given. */
  readonly texts: (name: string) => readonly string[]
  readonly has: (name: string) => boolean
  /** Words without a flag. */
  readonly words: readonly string[]
  /** What stands behind `--`; undefined where there is none. */
  readonly command: readonly string[] | undefined
}

const tokensOf = (table: FlagTable, args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(table).map(([name, { value, short }]) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens

type Token = ReturnType<typeof tokensOf>[number]
type OptionToken = Token & { readonly kind: 'option' }

const isOption = (token: Token): token is OptionToken => token.kind === 'option'

const unknown = (table: FlagTable, { name, rawName }: OptionToken): string => {
  if (name === 'kubeconfig')
    return `there is no flag ${rawName}; the variable KUBECONFIG names the file, as for kubectl`
  const match = nearest(name, [...Object.keys(table), 'help'])
  return `there is no flag ${rawName}${match === undefined ? '' : `; did you mean --${match}?`}`
}

/** A flag that stands where another's value should. */
const isFlagLike = (table: FlagTable, text: string): boolean =>
  /^-[a-z]$/.test(text)
    ? Object.values(table).some(({ short }) => text === `-${short}`)
    : text.startsWith('--')

/** `--` ends the flags: it is nobody's value. */
const isNone = ({ value, inlineValue }: OptionToken): boolean =>
  value === undefined || value === '' || (value === '--' && !inlineValue)

/** What its value may be. */
const wantedBy = ({ value = '', words = [] }: Flag): string =>
  words.length === 0 ? value : words.join('|')

const misuse = (table: FlagTable, token: OptionToken): string | undefined => {
  const { name, rawName, value, inlineValue } = token
  if (!Object.hasOwn(table, name)) return unknown(table, token)
  const flag = table[name]
  if (flag?.value === undefined) {
    return value === undefined
      ? undefined
      : `${rawName} takes no value, and got ${JSON.stringify(shown(value))}`
  }
  if (isNone(token)) return `${rawName} wants a value: ${rawName} ${wantedBy(flag)}`
  return value !== undefined && !inlineValue && isFlagLike(table, value)
    ? `${rawName} wants a value, and the flag ${value} stands there (write ${rawName}=${value} if it is meant)`
    : undefined
}

/** A word as it may be shown: behind a `=` may stand a secret, such as the value of a variable. */
const shown = (word: string): string => word.replace(/=.*$/s, '=…')

/** How a word is meant that stands without a flag; undefined where nobody knows. */
const meant = (table: FlagTable, word: string): string | undefined => {
  if (Object.hasOwn(table, 'file')) return `a file is named by -f: -f ${word}`
  return Object.hasOwn(table, 'allow-anonymous')
    ? `the server's command goes behind --: -- ${word}`
    : undefined
}

/** What is said of a word that stands without a flag, and how it may be meant. */
export const stray = (table: FlagTable, word: string): string =>
  [`${JSON.stringify(shown(word))} stands without a flag`, meant(table, shown(word)) ?? []]
    .flat()
    .join('; ')

/** What is wrong up to the first word that has no place here: what follows it may be that word's own. */
const strayed = (table: FlagTable, tokens: readonly Token[]): readonly string[] => {
  const first = tokens.findIndex(({ kind }) => kind === 'positional')
  const before = tokens.slice(0, first === -1 ? tokens.length : first).filter(isOption)
  const errors = before.flatMap((token) => misuse(table, token) ?? [])
  const token = tokens[first]
  return errors.length > 0 || token?.kind !== 'positional' ? errors : [stray(table, token.value)]
}

/** Reads the arguments; `takesWords`: also words without a flag. The error is everything that is wrong. */
export const readGiven = (
  table: FlagTable,
  args: readonly string[],
  takesWords = false,
): Result<Given, string> => {
  const tokens = tokensOf(table, args)
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index
  const isBefore = ({ index }: Token): boolean => end === undefined || index < end
  const words = tokens.flatMap((token) =>
    token.kind === 'positional' && isBefore(token) ? [token.value] : [],
  )
  const options = tokens.filter(isOption)
  const errors = takesWords
    ? options.flatMap((token) => misuse(table, token) ?? [])
    : strayed(table, tokens.filter(isBefore))
  if (errors.length > 0) return fail(errors.join('; '))
  const texts = (name: string): readonly string[] =>
    options.flatMap((token) =>
      token.name === name && token.value !== undefined ? [token.value] : [],
    )
  return ok({
    text: (name) => texts(name).at(-1) ?? table[name]?.default,
    texts,
    has: (name) => options.some((token) => token.name === name),
    words,
    command: end === undefined ? undefined : args.slice(end + 1),
  })
}

/** A flag's value, where few words may be; the error is a sentence. */
export const oneOf = <Word extends string>(
  flag: string,
  text: string,
  words: readonly Word[],
): Result<Word, string> => {
  const word = words.find((each) => each === text)
  return word === undefined
    ? fail(`${flag} ${JSON.stringify(text)}: use ${words.join(', ')}`)
    : ok(word)
}

const WIDTH = 110

const wrapped = (text: string, width: number): readonly string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** A flag as one writes it: `-f, --file FILE`. */
export const spelling = (name: string, { short, value }: Flag): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`

/** What a flag does, with its default. */
export const aboutFlag = (flag: Flag): string =>
  flag.default === undefined ? flag.doc : `${flag.doc} (default ${flag.default})`

/** The lines of the help text. */
export const flagLines = (table: FlagTable): string => {
  const rows = Object.entries(table).map(([name, flag]) => [spelling(name, flag), flag] as const)
  const width = Math.max(...rows.map(([text]) => text.length))
  return rows
    .flatMap(([text, flag]) =>
      wrapped(aboutFlag(flag), WIDTH - width - 4).map(
        (line, index) => `  ${(index === 0 ? text : '').padEnd(width)}  ${line}\n`,
      ),
    )
    .join('')
}
