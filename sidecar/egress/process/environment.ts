// What a child's environment says of the egress proxy, in each of the spellings that programs go by. Pure.

/** The proxy as one child knows it: its name there, and the secret that nobody else is told. */
export interface Door {
  readonly child: number
  readonly secret: string
  /** Of the proxy, on loopback. */
  readonly port: number
  /** A port on loopback where nobody but this child can come, so that no credential is asked for; absent where that cannot be had. */
  readonly ownPort?: number | undefined
}

/** curl and what is made with it (git, R, PHP) reads lower case, Go, Python, npm, pip and cargo either, others upper. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'] as const
/** What a server's own processes say to one another goes nowhere else. */
const NOT_BY_PROXY = 'localhost,127.0.0.1,::1'

type Entry = readonly [name: string, value: string]

const inBothCases = (name: string, value: string): readonly Entry[] => [
  [name, value],
  [name.toLowerCase(), value],
]

/** Java reads no variable for it but its launcher's own, and knows no credential from there. */
const javaOptions = (port: number): string =>
  [
    ...['http', 'https'].flatMap((scheme) => [
      `-D${scheme}.proxyHost=127.0.0.1`,
      `-D${scheme}.proxyPort=${port}`,
    ]),
    '-Dhttp.nonProxyHosts=localhost|127.*|[::1]',
  ].join(' ')

/** For programs that have no place for a credential: Java, and by their own options Chromium and whatever is made with it. */
const withoutCredential = (port: number): readonly Entry[] => [
  ['JDK_JAVA_OPTIONS', javaOptions(port)],
  ['OUTRIGGER_PROXY', `http://127.0.0.1:${port}`],
]

export const environmentOf = (door: Door): Readonly<Record<string, string>> => {
  const { child, secret, port, ownPort } = door
  const url = `http://${child}:${secret}@127.0.0.1:${port}`
  return Object.fromEntries([
    ...PROXIES.flatMap((name) => inBothCases(name, url)),
    ...inBothCases('NO_PROXY', NOT_BY_PROXY),
    // Node heeds the others from 22.21 and 24 on, where this is set.
    ['NODE_USE_ENV_PROXY', '1'],
    ...(ownPort === undefined ? [] : withoutCredential(ownPort)),
  ])
}
