// What a server process gets of its caller in its environment: variables, each by a template over claims, as the annotation
// `caller-environment` has them. Which variables no caller fills, whoever allows it, stands here and nowhere else. Pure.

import { isClaimName } from './claim-name.ts'
import { fail, ok, type Result } from './result.ts'

/** A piece of a value: text as it stands, or what a claim says. */
export type Piece = { readonly text: string } | { readonly claim: string }

export interface CallerVariable {
  readonly name: string
  /** At least one is a claim. */
  readonly pieces: readonly Piece[]
}

const MAX_VARIABLES = 16
const MAX_TEMPLATE = 256

const NAME = /^[A-Z][A-Z0-9_]{0,63}$/
const PLACEHOLDER = /(\{\{ ?claims\.[^\s,{}]+ ?\}\})/u

// Where programs, libraries and homes are found, what shells, loaders and interpreters run, and by which way and whose name
// something is reached. Names in small letters are none that may be given: proxies and npm go by those as well.
const RESERVED = new RegExp(
  `^(?:${[
    'BASHOPTS|BROWSER|CLASSPATH|DISPLAY|EDITOR|ENV|GETCONF_DIR|GLIBC_TUNABLES|GLOBIGNORE|HISTFILE|HOME|HOSTALIASES|IFS',
    'KUBECONFIG|LANG|LANGUAGE|LOCALDOMAIN|MAIL|OLDPWD|PAGER|PHPRC|PROMPT_COMMAND|PS\\d|PWD|RES_OPTIONS|SHELL|SHELLOPTS',
    'TEMP|TERM|TERMCAP|TERMINFO|TMP|TMPDIR|TZ|TZDIR|VIRTUAL_ENV|VISUAL|ZDOTDIR',
    '(?:AWS|AZURE|BASH|BUN|BUNDLE|CARGO|CLOUDSDK|COMPLUS|CONDA|CORECLR|COREPACK|CURL|DENO|DOCKER|DOTNET|DYLD|ELECTRON|ERL)_.*',
    '(?:GEM|GIT|GOOGLE|GRADLE|JAVA|JDK|KUBERNETES|LC|LD|LESS|LUA|MALLOC|MAVEN|NODE|NPM|NSS|OPENSSL|OTEL|OUTRIGGER|PHP)(?:_.*)?',
    '(?:PIP|PNPM|POETRY|SSH|SSL|TS_NODE|UV|V8|XDG|YARN)_.*|(?:GNUPG|GPG|PERL|PYTHON|RUBY|RUST).*',
    'GO(?:CACHE|DEBUG|ENV|FLAGS|GC|MEMLIMIT|PROXY|ROOT|TOOLCHAIN|TRACEBACK)',
    '.*(?:PATH|PROXY|PRELOAD|_CA_BUNDLE|_CERT_DIR|_CERT_FILE|_FLAGS|_OPTIONS|_OPTS)',
  ].join('|')})$`,
)

/** Why no caller may fill a variable of this name; undefined where the floor may let them. */
export const variableFault = (name: string): string | undefined => {
  if (!NAME.test(name)) {
    return `${JSON.stringify(name.slice(0, 80))} is no name of capital letters, digits and _`
  }
  return RESERVED.test(name)
    ? `${name} says how programs run or what they reach: no caller fills it; choose another name`
    : undefined
}

/** The pieces of a template; undefined where it is none. */
const piecesOf = (template: string): readonly Piece[] | undefined => {
  const parts = template.split(PLACEHOLDER)
  const texts = parts.filter((_part, index) => index % 2 === 0)
  const claims = parts.flatMap((part, index) =>
    index % 2 === 1 ? [part.slice('{{'.length, -'}}'.length).trim().slice('claims.'.length)] : [],
  )
  const isRight =
    template.length <= MAX_TEMPLATE &&
    claims.length > 0 &&
    claims.every(isClaimName) &&
    texts.every((text) => /^[ -z|~]*$/.test(text))
  if (!isRight) return undefined
  return parts.flatMap((part, index): readonly Piece[] => {
    const claim = index % 2 === 1 ? claims[(index - 1) / 2] : undefined
    if (claim !== undefined) return [{ claim }]
    return part === '' ? [] : [{ text: part }]
  })
}

const variableOf = (item: string): Result<CallerVariable, string> => {
  const [, name = '', template = ''] = /^([^=]*)=?(.*)$/s.exec(item) ?? []
  const fault = variableFault(name)
  if (fault !== undefined) return fail(fault)
  const pieces = piecesOf(template)
  return pieces
    ? ok({ name, pieces })
    : fail(
        `${name} needs a template over claims of up to ${MAX_TEMPLATE} characters, such as ${name}={{claims.email}}`,
      )
}

/** The variables of an annotation's items; the error is a sentence. */
export const callerVariables = (
  items: readonly string[],
): Result<readonly CallerVariable[], string> => {
  const read = items.slice(0, MAX_VARIABLES + 1).map(variableOf)
  const variables: CallerVariable[] = []
  for (const one of read) {
    if (!one.ok) return one
    variables.push(one.value)
  }
  if (variables.length > MAX_VARIABLES) return fail(`at most ${MAX_VARIABLES} variables`)
  const twice = variables.find(({ name }, at) => variables.findIndex((v) => v.name === name) < at)
  return twice ? fail(`${twice.name} stands there twice`) : ok(variables)
}

/** The claims that variables are made of, each once. */
export const claimsIn = (variables: readonly CallerVariable[]): readonly string[] => [
  ...new Set(
    variables.flatMap(({ pieces }) =>
      pieces.flatMap((piece) => ('claim' in piece ? [piece.claim] : [])),
    ),
  ),
]
