// The programs of the machine that each size needs, and the Debian package of each. It only
// looks; what is missing is told with the line that installs it.

import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export type Size = 'control' | 'full'

interface Tool {
  /** Names of the program, or absolute paths: one of them is enough. */
  readonly anyOf: readonly string[]
  readonly package: string
  readonly size: Size
}

const tool = (size: Size, packageName: string, ...anyOf: string[]): Tool => ({
  anyOf,
  package: packageName,
  size,
})

/** In the order of packages.txt. */
export const TOOLS: readonly Tool[] = [
  tool('control', 'etcd-server', 'etcd'),
  tool('control', 'iproute2', 'ip'),
  tool('control', 'openssl', 'openssl'),
  tool('control', 'procps', 'sysctl'),
  tool('control', 'socat', 'socat'),
  tool('control', 'util-linux', 'unshare', 'nsenter', 'setpriv'),
  tool('full', 'buildah', 'buildah'),
  tool('full', 'busybox-static', 'busybox'),
  tool('full', 'conntrack', 'conntrack'),
  tool('full', 'containerd', 'containerd'),
  tool('full', 'containernetworking-plugins', '/usr/lib/cni/bridge', '/opt/cni/bin/bridge'),
  tool('full', 'debootstrap', 'debootstrap'),
  tool('full', 'default-jdk-headless', 'jlink'),
  tool('full', 'docker-registry', 'docker-registry'),
  tool('full', 'gcc', 'cc'),
  tool('full', 'iptables', 'iptables'),
  tool(
    'full',
    'libc6-dev',
    '/usr/lib/x86_64-linux-gnu/libc.a',
    '/usr/lib/aarch64-linux-gnu/libc.a',
  ),
  tool('full', 'musl', '/lib/ld-musl-x86_64.so.1', '/lib/ld-musl-aarch64.so.1'),
  tool('full', 'nftables', 'nft'),
  tool('full', 'python3-pip', 'pip', 'pip3'),
  tool('full', 'runc', 'runc'),
]

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where a program is: on the given PATH, or at its absolute path. */
export const findTool = (name: string, searchPath: string): string | undefined =>
  name.startsWith('/')
    ? [name].find((path) => existsSync(path))
    : searchPath
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, name))
        .find(isProgram)

/** What the machine lacks for a size, each as a sentence with its remedy; empty when nothing. */
export const missingTools = (size: Size, searchPath: string): readonly string[] => {
  const missing = TOOLS.filter((each) => size === 'full' || each.size === 'control').filter(
    (each) => !each.anyOf.some((name) => findTool(name, searchPath) !== undefined),
  )
  if (missing.length === 0) return []
  return [
    ...missing.map((each) => `${each.anyOf[0]} is missing (Debian package ${each.package})`),
    `install them: apt-get install --no-install-recommends ${missing.map((each) => each.package).join(' ')}`,
  ]
}
