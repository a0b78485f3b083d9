// What our images take of their base, by what that says of itself: also the libraries of which nothing tells that Node loads them.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { objectsAt, stringAt } from '../../../shared/json.ts'

const PROGRAM = fileURLToPath(new URL('../../../image.ts', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-base-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const GLIBC = ['libc.so.6', 'ld-linux.so.2']
const MUSL = ['ld-musl.so.1']
const OLD_NAMES = ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2']

interface Base {
  /** What its `ldd` says of itself. */
  readonly version: string
  /** What that says of Node. */
  readonly loaded: readonly string[]
  /** What else lies there. */
  readonly besides: readonly string[]
}

/** Has an image made of a base; what of its libraries is in that, and what the bill of it names. */
const make = ({ version, loaded, besides }: Base, libc?: string) => {
  const [lib, root, bin] = [join(folder, 'lib'), join(folder, 'root'), join(folder, 'bin')]
  for (const path of [lib, root, bin]) mkdirSync(path)
  for (const name of [...loaded, ...besides]) writeFileSync(join(lib, name), `${name}\n`)
  const lines = (names: readonly string[]): string =>
    names.map((name) => `echo '${name} => ${join(lib, name)} (0x0)'`).join('\n')
  writeFileSync(
    join(bin, 'ldd'),
    `#!/bin/sh
case "$1" in
--version) echo '${version}' ;;
*/libnss_dns.so.2) ${lines(['libresolv.so.2', 'libc.so.6'])} ;;
*/libnss_files.so.2) ${lines(['libc.so.6'])} ;;
*) ${lines(loaded)} ;;
esac
`,
    { mode: 0o755 },
  )
  const bill = join(folder, 'bill.json')
  writeFileSync(bill, '{"components":[]}')
  const linked = join(folder, 'shim.libc')
  if (libc !== undefined) writeFileSync(linked, libc)
  const args = [PROGRAM, bill, root, ...(libc === undefined ? [] : [linked])]
  const { status, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
  })
  if (status !== 0) return { stderr: stderr.replaceAll(lib, 'LIB') }
  const text = readFileSync(join(root, 'app/sbom.cdx.json'), 'utf8')
  const told = Object(JSON.parse(text))
  const components = objectsAt(told, 'components')
  const names = components.map((one) => stringAt(one, 'name') ?? '')
  return {
    musl: components.filter(({ name }) => name === 'musl'),
    taken: readdirSync(join(root, lib)).sort(),
    told: names.filter((name) => name.startsWith(lib)).map((name) => name.slice(lib.length + 1)),
  }
}

test.each<[string, Base, readonly string[]]>([
  [
    'glibc that looks names up itself',
    { version: 'ldd (Debian GLIBC 2.36-9+deb12u14) 2.36', loaded: GLIBC, besides: OLD_NAMES },
    GLIBC,
  ],
  ['the first such', { version: 'ldd (GNU libc) 2.34', loaded: GLIBC, besides: [] }, GLIBC],
  [
    'glibc that loads others for that',
    { version: 'ldd (Debian GLIBC 2.31-13+deb11u11) 2.31', loaded: GLIBC, besides: OLD_NAMES },
    [...GLIBC, ...OLD_NAMES],
  ],
  [
    'the last such',
    { version: 'ldd (GNU libc) 2.33', loaded: GLIBC, besides: OLD_NAMES },
    [...GLIBC, ...OLD_NAMES],
  ],
  [
    'glibc whose version nobody says',
    { version: 'ldd', loaded: GLIBC, besides: OLD_NAMES },
    [...GLIBC, ...OLD_NAMES],
  ],
  ['musl', { version: 'musl libc (x86_64)', loaded: MUSL, besides: [] }, MUSL],
])('%s', (_what, base, expected) => {
  const sorted = [...expected].sort()
  expect(make(base)).toEqual({ taken: sorted, told: sorted, musl: [] })
})

test.each<[string, string, Readonly<Record<string, string>>]>([
  [
    'Debian’s',
    'debian 1.2.3-1 amd64\n',
    {
      version: '1.2.3-1',
      cpe: 'cpe:2.3:a:musl-libc:musl:1.2.3:*:*:*:*:*:*:*',
      purl: 'pkg:deb/debian/musl-dev@1.2.3-1?arch=amd64',
    },
  ],
  [
    'Alpine’s',
    'alpine 1.2.5-r10 x86_64\n',
    {
      version: '1.2.5-r10',
      cpe: 'cpe:2.3:a:musl-libc:musl:1.2.5:*:*:*:*:*:*:*',
      purl: 'pkg:apk/alpine/musl-dev@1.2.5-r10?arch=x86_64',
    },
  ],
  ['one of which nobody knows the version', 'other\n', {}],
])('the bill names the C library of the shim, %s', (_what, libc, known) => {
  const base = { version: 'ldd (GNU libc) 2.36', loaded: GLIBC, besides: [] }
  expect(make(base, libc).musl).toEqual([
    { type: 'library', 'bom-ref': 'musl', name: 'musl', ...known },
  ])
})

test('a base that lacks what its glibc looks names up by is refused, and nothing is made of it', () => {
  const version = 'ldd (GNU libc) 2.28'
  expect(make({ version, loaded: GLIBC, besides: ['libnss_files.so.2'] })).toEqual({
    stderr:
      "image.ts: this base's glibc (2.28) looks names up by LIB/libnss_dns.so.2, which it lacks: no host would be found. Take another base as NODE_IMAGE, such as node:24-slim\n",
  })
  expect(readdirSync(join(folder, 'root'))).toEqual([])
})
