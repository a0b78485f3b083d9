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

// Where programs, libraries, settings and homes are found, what shells, loaders, interpreters, builds and helpers run, where
// they write what they know, and by which way and whose name something is reached. Names in small letters are none that may be
// given: proxies and npm go by those as well.
const RESERVED = new RegExp(
  `^(?:${[
    // Shells, terminals and the C library.
    'BASHOPTS|BROWSER|CLASSPATH|CONDARC|DISPLAY|EDITOR|ENV|EXINIT|FCEDIT|GETCONF_DIR|GLIBC_TUNABLES|GLOBIGNORE|HISTFILE|IFS',
    'HOSTALIASES|INPUTRC|IRBRC|LANG|LANGUAGE|LOCALDOMAIN|MAIL|NETRC|OLDPWD|PAGER|PHPRC|POSIXLY_CORRECT|PROMPT_COMMAND|PS\\d',
    'PWD|RES_OPTIONS|SHELL|SHELLOPTS|TEMP|TERM|TERMCAP|TERMINFO(?:_DIRS)?|TMP|TMPDIR|TZ|TZDIR|VIRTUAL_ENV|VISUAL|ZDOTDIR',
    '(?:JE_|MI|TC)?MALLOC(?:_.*)?|(?:SYSTEM_)?WGETRC|RESOLV_.*|N?VIM.*|LESS(?:_.*|CHARSET|CLOSE|EDIT|HIST.*|KEY.*|OPEN)?',
    // Interpreters, compilers, package managers and what chooses between versions of them.
    'AR|AS|CC|CPP|CXX|MAKE|MAKEFILES|GHCRTS|OCAMLRUNPARAM|(?:ANSIBLE|ASDF|ASPNETCORE|AWS|AZURE|BASH|BUN|BUNDLER?|CARGO)_.*',
    '(?:CGO|CLOUDSDK|CMAKE|COMPLUS|COMPOSER|CONDA|COR|CORECLR|COREHOST|COREPACK|CURL|DENO|DJANGO|DOCKER|DOTNET|DYLD|ELECTRON)_.*',
    '(?:ERL|FASTMCP|FLASK|FNM|GUNICORN|HATCH|HELM|JULIA|JVM|LOGBACK|LOGGING|MICRONAUT|MISE|MIX|MONO|NODENV|NUGET|NVM|PDM)_.*',
    '(?:PIP|PIPENV|PIPX|PNPM|POETRY|PRISMA|PULUMI|PYENV|PYTEST|QUARKUS|R|RBENV|RSYNC|RVM|SPRING|SSH|SSL|SUDO|S6|TS_NODE)_.*',
    '(?:UV|UVICORN|V8|VOLTA|XDG|YARN)_.*|TF_(?:CLI|DATA|PLUGIN|REATTACH).*',
    '(?:GEM|GIT|GOOGLE|GRADLE|JAVA|JDK|KUBERNETES|LC|LD|LUA|MAVEN|NODE|NPM|NSS|OPENSSL|OTEL|OUTRIGGER|PHP)(?:_.*)?',
    '(?:GNUPG|GPG|KUBE|LOG4J|MPL|MSBUILD|PERL|PYTHON|RUBY|RUST).*',
    'GO(?:AUTH|BIN|CACHE|COVERDIR|DEBUG|ENV|EXPERIMENT|FLAGS|GC|INSECURE|MAXPROCS|MEMLIMIT|NOSUMDB|PRIVATE|PROXY|RACE|ROOT)',
    'GO(?:SUMDB|TMPDIR|TOOLCHAIN|TOOLDIR|TRACEBACK|VCS|WORK)',
    // Libraries that load others by them, or write to a file that they name.
    '(?:CHROME|CUDA|DBUS|GBM|GDAL|GDK|GIO|GNUTLS|GST|GTK|LIBGL|LIBMYSQL|LIBVA|MAGICK|MOZ|NCCL|OCL_ICD|OMP|P11_KIT|PLAYWRIGHT)_.*',
    '(?:PUPPETEER|QT|SASL|VK)_.*|FFREPORT|(?:GCOV|LLVM)_.*|(?:CPU|HEAP|PC)PROFILE(?:_.*)?|SSLKEYLOGFILE|TCL_LIBRARY',
    // Whom clients of databases, directories and clouds speak to, by which settings and as whom.
    'GCE_METADATA_.*|GRPC_.*|HF_.*|KRB5.*|LDAP[A-Z].*|MYSQL_(?:HOME|HOST|TCP_PORT|UNIX_PORT)|ODBC.*|ORACLE_.*|TNS_ADMIN',
    'PG(?:GSS|HOST|KRB|LOCALE|OPTIONS|PASSFILE|PORT|REQUIRE|SERVICE|SSL|SYSCONF|TARGET).*|SOCKS5?_SERVER',
    '(?:DD|ELASTIC_APM|NEW_RELIC|SENTRY)_.*|LISTEN_(?:FDNAMES|FDS|PID)|NOTIFY_SOCKET',
    '.*(?:FLAGS|HOME|PATH|PRELOAD|PROXY)',
    '.*_(?:ARGS|ASKPASS|BROWSER|CA_BUNDLE|CERT_DIR|CERT_FILE|CMD|COMMAND|CONF|CONFIG|EDITOR|EMULATOR_HOST|OPTIONS|OPTS?|PAGER)',
    '.*_(?:CONFIG_DIR|CONFIG_FILE|RSH|SHELL|SSH)|HGEDITOR|MANPAGER',
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
