// What is declared is reached by real programs as they are, told of nothing but what the shim puts into a child's environment; and
// nothing of that reaches the far host. Takes root; what a machine lacks is skipped by name.

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Arena, AUTHORITY } from '../../support/egress/arena.ts'
import type { EgressPod, PodSession, ToolOptions } from '../../support/egress/egress-pod.ts'
import {
  FILES_PORT,
  POSTGRES,
  serveDatabase,
  serveFiles,
} from '../../support/egress/far-programs.ts'
import { compileWays } from '../../support/egress/programs.ts'
import { FIXTURES } from '../../support/egress/row.ts'
import type { Running } from '../../support/running.ts'
import { hasProgram } from '../../support/shim.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const CLIENTS = join(FIXTURES, 'clients')
const URL_OVER_TLS = 'https://api.example/hello'
const REACHED = /"far":true/

const DECLARED = [
  'api.example:443',
  'api.example:80',
  `git.example:${FILES_PORT}`,
  `npm.example:${FILES_PORT}`,
  '5432=db.team.svc.cluster.local:5432',
].join(', ')

interface Client extends ToolOptions {
  readonly name: string
  /** Programs that it takes. */
  readonly takes: readonly string[]
  readonly isMissing?: boolean
  readonly command: (folder: string) => readonly string[]
  readonly says: RegExp
  /** Made beforehand, outside. */
  readonly build?: (folder: string) => void
  /** What must be on record of it. */
  readonly host: string
  readonly how: string
}

const overTls = (
  name: string,
  takes: string,
  command: Client['command'],
  more: Partial<Client> = {},
): Client => ({
  name,
  takes: [takes],
  command,
  says: REACHED,
  host: 'api.example',
  how: 'connect',
  ...more,
})

const hasModule = (module: string): boolean => {
  try {
    execFileSync('/usr/bin/python3', ['-c', `import ${module}`], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

const fetchPy = (library: string): readonly string[] => [
  'python3',
  join(CLIENTS, 'fetch.py'),
  library,
  URL_OVER_TLS,
]

/** Without it nothing in the file is believed. */
const KEYSTORE_WORD = 'changeit'

/** The program, and what it believes: the arena’s authority. */
const buildJava = (folder: string): void => {
  execFileSync('javac', ['-d', folder, join(CLIENTS, 'Fetch.java')])
  const words = '-importcert -noprompt -alias arena -storetype PKCS12'.split(' ')
  const files = [
    '-storepass',
    KEYSTORE_WORD,
    '-file',
    join(folder, 'authority.pem'),
    '-keystore',
    join(folder, 'authorities'),
  ]
  execFileSync('keytool', [...words, ...files], { stdio: 'pipe' })
}

/** Whichever is there. */
const BROWSER =
  ['chromium-headless-shell', 'chromium'].find(hasProgram) ?? 'chromium-headless-shell'

const CLIENTS_OF: readonly Client[] = [
  overTls('curl', 'curl', () => ['curl', '-sS', URL_OVER_TLS]),
  overTls('curl over plain HTTP', 'curl', () => ['curl', '-sS', 'http://api.example/hello'], {
    how: 'http',
  }),
  overTls(
    'curl over SOCKS',
    'curl',
    () => ['sh', '-c', `curl -sS --proxy "socks5h://\${http_proxy#http://}" ${URL_OVER_TLS}`],
    { how: 'socks' },
  ),
  overTls('Node’s fetch', 'sh', () => [
    process.execPath,
    `${FIXTURES}ways.ts`,
    'fetch',
    URL_OVER_TLS,
  ]),
  overTls('Python’s urllib', 'python3', () => fetchPy('urllib')),
  overTls('httpx', 'python3', () => fetchPy('httpx'), { isMissing: !hasModule('httpx') }),
  overTls('Go’s net/http', 'go', (folder) => [join(folder, 'fetch-go'), URL_OVER_TLS], {
    build: (folder) =>
      void execFileSync('go', ['build', '-o', join(folder, 'fetch-go'), join(CLIENTS, 'fetch.go')]),
  }),
  overTls(
    'Java’s HttpClient',
    'javac',
    (folder) => [
      'java',
      `-Djavax.net.ssl.trustStore=${join(folder, 'authorities')}`,
      `-Djavax.net.ssl.trustStorePassword=${KEYSTORE_WORD}`,
      '-cp',
      folder,
      'Fetch',
      URL_OVER_TLS,
    ],
    { build: buildJava },
  ),
  // Over plain HTTP: of its TLS nobody could see whom it asks for, and this one has no switch for that.
  overTls(
    'Chromium, steered over its own loopback',
    BROWSER,
    () => [
      'sh',
      '-c',
      'exec "$@" --proxy-server="$OUTRIGGER_PROXY" http://api.example/hello',
      'sh',
      process.execPath,
      '--no-warnings',
      join(CLIENTS, 'browse.ts'),
      BROWSER,
      '--headless',
      // It has no rights by which to make another, and is in one.
      '--no-sandbox',
    ],
    { how: 'http' },
  ),
  {
    name: 'git',
    takes: ['git'],
    command: () => [
      'sh',
      '-c',
      `cd "$TMPDIR" && git clone -q http://git.example:${FILES_PORT}/repository.git got && git -C got log --format=%s`,
    ],
    says: /from afar/,
    host: 'git.example',
    how: 'http',
  },
  {
    name: 'npm',
    takes: ['npm'],
    command: () => [
      'sh',
      '-c',
      `cd "$TMPDIR" && npm install --no-audit --no-fund --registry http://npm.example:${FILES_PORT}/ leaf >&2 && cat node_modules/leaf/package.json`,
    ],
    says: /"leaf"/,
    host: 'npm.example',
    how: 'http',
  },
  {
    name: 'psql through a forward',
    takes: ['psql'],
    isMissing: POSTGRES === undefined,
    command: () => [
      'psql',
      '-h',
      '127.0.0.1',
      '-U',
      'far',
      '-d',
      'postgres',
      '-tAc',
      "select 'from ' || 'afar'",
    ],
    says: /from afar/,
    host: 'db.team.svc.cluster.local',
    how: 'forward',
  },
]

const isHere = ({ takes, isMissing }: Client): boolean =>
  isMissing !== true && takes.every(hasProgram)
const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('a declared destination (takes root)', () => {
  const ways = compileWays()
  const running: Running[] = []
  let arena: Arena
  let pod: EgressPod
  let session: PodSession
  let folder: string

  beforeAll(async () => {
    arena = await Arena.start(ways.folder)
    folder = join(arena.hosts.folder, 'clients')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    const authority = join(folder, 'authority.pem')
    writeFileSync(authority, AUTHORITY.cert)
    running.push(await serveFiles(arena.hosts))
    if (POSTGRES !== undefined) running.push(await serveDatabase(arena.hosts, POSTGRES))
    for (const { build } of CLIENTS_OF.filter(isHere)) build?.(folder)
    const trust = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'CURL_CA_BUNDLE']
    pod = arena.addPod({
      mode: 'enforce',
      egress: DECLARED,
      environment: Object.fromEntries(trust.map((name) => [name, authority])),
    })
    await pod.start()
    session = await pod.session()
  })
  afterAll(async () => {
    for (const one of running) await one.stop()
    await arena?.close()
    ways.remove()
  })

  test.each(CLIENTS_OF.filter(isHere))('$name reaches it', async ({ command, says, host, how }) => {
    const { result, frames } = await arena.hosts.capture.during(() => session.run(command(folder)))
    expect(result.text).toMatch(says)
    const environment = await session.run(['sh', '-c', 'echo "$http_proxy"'])
    const [, secret = ''] = /:([0-9a-f]{32})@/.exec(environment.text) ?? []
    expect(secret).toHaveLength(32)
    const credential = Buffer.from(
      new URL(environment.text.trim()).username + ':' + secret,
    ).toString('base64')
    const leaks = frames.filter(({ text }) =>
      [secret, credential, 'Proxy-'].some((one) => text.includes(one)),
    )
    expect(leaks).toEqual([])
    const wanted = expect.objectContaining({
      event: 'egress',
      verdict: 'allowed',
      how,
      destination: expect.objectContaining({ host }),
    })
    // It is written when the connection has ended.
    await until(() => pod.records().some((one) => wanted.asymmetricMatch(one)), 'it is on record')
  })

  const missing = CLIENTS_OF.filter((one) => !isHere(one))
  if (missing.length > 0) {
    test.skip.each(missing)('$name reaches it (takes $takes)', () => undefined)
  }
})
