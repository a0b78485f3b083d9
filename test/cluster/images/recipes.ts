// What the layers hold that the images of existing Deployments are made of: roots with Node and with
// Python, and what is put upon them.

import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { run, words } from '../machine/run.ts'
import { NPM, npmPackage, wheels, wheelsDigest } from './downloads.ts'
import { copyPackages, versionOfPackage } from './package-closure.ts'
import { fillPackageIndex } from './package-index.ts'
import { glibcRoot, pythonRoot } from './roots.ts'

export interface LayerSources {
  readonly cache: string
  /** The static server that speaks HTTP. */
  readonly httpServer: string
}

/** How a layer is made: what its name in the cache depends on besides its own, and how it is filled. */
export interface Recipe {
  readonly from: (sources: LayerSources) => readonly string[]
  readonly fill: (root: string, sources: LayerSources) => Promise<void>
}

const FIXTURES = join(import.meta.dirname, '../../fixtures/servers')
const EVERYTHING = '@modelcontextprotocol/server-everything'

const textOf = (file: string): string => readFileSync(join(FIXTURES, file), 'utf8')

const copyRoot = (from: string, to: string): void =>
  cpSync(from, to, { recursive: true, verbatimSymlinks: true })

const folder = (root: string, path: string): string => {
  const made = join(root, path)
  mkdirSync(made, { recursive: true })
  return made
}

const programs = (root: string, links: Readonly<Record<string, string>>): void => {
  const bin = folder(root, 'usr/local/bin')
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(bin, name))
}

/** What pip would put into a folder, of wheels that are there. */
const installWheels = async (
  to: string,
  cache: string,
  packages: readonly string[],
): Promise<void> => {
  await run([
    ...words('python3 -m pip install --quiet --no-index --no-compile --only-binary=:all:'),
    ...words('--python-version 3.11 --platform manylinux_2_28_x86_64'),
    ...words('--platform manylinux2014_x86_64 --find-links'),
    await wheels(cache),
    '--target',
    to,
    ...packages,
  ])
}

export const RECIPES = {
  node: {
    from: () => [versionOfPackage(`node-linux-${process.arch}`)],
    fill: async (root, { cache }) => copyRoot(await glibcRoot(cache), root),
  },
  python: {
    from: () => [],
    fill: async (root, { cache }) => copyRoot(await pythonRoot(cache), root),
  },
  /** A named user whom only the image knows. */
  account: {
    from: () => [],
    fill: async (root) => {
      folder(root, 'etc')
      writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nmcp:x:1234:1234::/:/bin/sh\n')
      writeFileSync(join(root, 'etc/group'), 'root:x:0:\nmcp:x:1234:\n')
    },
  },
  /** A directory that the image's user 1000 may write. */
  notes: {
    from: () => [],
    fill: async (root) => chownSync(folder(root, 'notes'), 1000, 1000),
  },
  everything: {
    from: () => [versionOfPackage(EVERYTHING)],
    fill: async (root) => {
      copyPackages([EVERYTHING], folder(root, 'app/node_modules'))
      programs(root, { 'mcp-server-everything': `/app/node_modules/${EVERYTHING}/dist/index.js` })
    },
  },
  supergateway: {
    from: () => [versionOfPackage('supergateway')],
    fill: async (root) => {
      copyPackages(['supergateway'], folder(root, 'opt/supergateway/node_modules'))
      const program = '/opt/supergateway/node_modules/supergateway/dist/index.js'
      programs(root, { supergateway: program })
    },
  },
  npm: {
    from: () => [NPM.integrity],
    fill: async (root, { cache }) => {
      const unpacked = join(await npmPackage(cache), 'package')
      copyRoot(unpacked, folder(root, 'usr/local/lib/node_modules/npm'))
      const bin = '../lib/node_modules/npm/bin'
      programs(root, { npm: `${bin}/npm-cli.js`, npx: `${bin}/npx-cli.js` })
    },
  },
  /** A server of the official SDK for Python. */
  'python-server': {
    from: () => [wheelsDigest(), textOf('server.py')],
    fill: async (root, { cache }) => {
      await installWheels(folder(root, 'app/packages'), cache, ['mcp'])
      cpSync(join(FIXTURES, 'server.py'), join(root, 'app/server.py'))
    },
  },
  uv: {
    from: () => [wheelsDigest()],
    fill: async (root, { cache }) => {
      const [bin, aside] = [folder(root, 'usr/local/bin'), folder(root, 'aside')]
      const from = await wheels(cache)
      const wheel = readdirSync(from).find((name) => name.startsWith('uv-')) ?? ''
      await run([...words('python3 -m zipfile -e'), join(from, wheel), aside])
      const data = readdirSync(aside).find((name) => name.endsWith('.data')) ?? ''
      for (const name of ['uv', 'uvx']) {
        renameSync(join(aside, data, 'scripts', name), join(bin, name))
        chmodSync(join(bin, name), 0o755)
      }
      rmSync(aside, { recursive: true })
    },
  },
  /** As much of Java as a server needs, and the server. */
  'java-server': {
    from: () => [textOf('Server.java')],
    fill: async (root) => {
      const classes = folder(root, 'app')
      await run(['javac', '-d', classes, join(FIXTURES, 'Server.java')])
      const modules = 'java.base,jdk.httpserver'
      const flags = '--strip-debug --no-man-pages --no-header-files --output'
      await run([
        'jlink',
        '--add-modules',
        modules,
        ...words(flags),
        join(folder(root, 'opt'), 'jre'),
      ])
    },
  },
  'go-server': {
    from: ({ httpServer }) => [httpServer],
    fill: async (root, { httpServer }) => {
      cpSync(httpServer, join(root, 'mcp-http-server'))
      chmodSync(join(root, 'mcp-http-server'), 0o755)
    },
  },
  /** A package index for npm and for pip, as files. */
  packages: {
    from: () => [wheelsDigest(), versionOfPackage(EVERYTHING), versionOfPackage('supergateway')],
    fill: async (root, { cache }) =>
      fillPackageIndex(folder(root, 'packages'), [EVERYTHING, 'supergateway'], await wheels(cache)),
  },
} as const satisfies Readonly<Record<string, Recipe>>
