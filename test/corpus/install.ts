// Gets the servers and the clients for Python by the ordinary clients of their registries, once: kept in the cache.
// Pinned are the packages themselves; what they depend on is as their authors' users get it.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { once } from '../cluster/images/once.ts'
import type { CorpusServer } from './servers.ts'

const execute = promisify(execFile)
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'outrigger/corpus')
const CLIENTS = ['mcp==2.3.0', 'fastmcp==4.2.3']

/** What a server may be given: each a path. */
export interface Installed {
  /** All of it; the caller removes it. */
  readonly folder: string
  /** An empty directory. */
  readonly scratch: string
  /** A Git repository without a commit. */
  readonly repository: string
  /** For a cluster where nobody listens. */
  readonly kubeconfig: string
}

export interface Launch {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const KUBECONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'none',
  clusters: [{ name: 'none', cluster: { server: 'http://127.0.0.1:1' } }],
  contexts: [{ name: 'none', context: { cluster: 'none', user: 'none' } }],
  users: [{ name: 'none', user: {} }],
}

export const makeOwn = async (): Promise<Installed> => {
  const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
  const paths = { scratch: join(folder, 'scratch'), repository: join(folder, 'repository') }
  mkdirSync(paths.scratch)
  await execute('git', ['init', '--quiet', '--initial-branch', 'main', paths.repository])
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(KUBECONFIG))
  return { folder, ...paths, kubeconfig }
}

const folderOf = (words: readonly string[]): string =>
  join(CACHE, words.join(' ').replaceAll(/[^\w.=-]/g, '_'))

const pip = (packages: readonly string[]): Promise<string> =>
  once(folderOf(packages), async (folder) => {
    const flags = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target']
    await execute('python3', [...flags, folder, ...packages])
  })

const npm = (name: string): Promise<string> =>
  once(folderOf([name]), async (folder) => {
    const flags = ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix']
    await execute('npm', [...flags, folder, name])
  })

const manifest = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]) })

const programIn = (folder: string, program: string | undefined): string => {
  const { bin } = manifest.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  if (typeof bin === 'string') return join(folder, bin)
  return join(folder, (program === undefined ? Object.values(bin)[0] : bin[program]) ?? '')
}

const folderFor = ({ name, version, from, beside = [] }: CorpusServer): Promise<string> =>
  from === 'npm' ? npm(`${name}@${version}`) : pip([`${name}==${version}`, ...beside])

/** How the server is started. */
export const launchOf = async (server: CorpusServer, own: Installed): Promise<Launch> => {
  const { name, from, env = {} } = server
  const args = server.args?.(own) ?? []
  const folder = await folderFor(server)
  if (from === 'npm') {
    const program = programIn(join(folder, 'node_modules', name), server.program)
    return { command: [process.execPath, program, ...args], env }
  }
  const command = ['python3', join(folder, 'bin', server.program ?? name), ...args]
  return { command, env: { ...env, PYTHONPATH: folder } }
}

/** A folder with the clients for Python. */
export const installClients = (): Promise<string> => pip(CLIENTS)

/** At once: most of it is waiting for a registry. */
const INSTALLERS = 3

/** Gets whatever is not in the cache yet. */
export const installAll = async (servers: readonly CorpusServer[]): Promise<void> => {
  const left = [installClients, ...servers.map((server) => () => folderFor(server))]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) await next()
  }
  await Promise.all(Array.from({ length: INSTALLERS }, work))
}
