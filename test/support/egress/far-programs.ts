// What real programs look for on the far host: a git repository, a registry of npm's, a database.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { buffer } from 'node:stream/consumers'
import { startProgram, type Running } from '../running.ts'
import type { TwoHosts } from './two-hosts.ts'

/** Files over plain HTTP, of every name. */
export const FILES_PORT = 8000
export const DATABASE_PORT = 5432

/** The newest that Debian has installed, where there is one. */
export const POSTGRES = ((): string | undefined => {
  const root = '/usr/lib/postgresql'
  const [newest] = existsSync(root) ? readdirSync(root).toSorted().toReversed() : []
  return newest === undefined ? undefined : join(root, newest, 'bin')
})()

const repository = (folder: string): void => {
  const git = (...words: readonly string[]): void =>
    void execFileSync('git', ['-c', 'user.name=far', '-c', 'user.email=far@example', ...words], {
      cwd: folder,
      stdio: 'pipe',
    })
  git('init', '-q', 'work')
  git('-C', 'work', 'commit', '-q', '--allow-empty', '-m', 'from afar')
  git('clone', '-q', '--bare', 'work', 'repository.git')
  git('-C', 'repository.git', 'update-server-info')
}

const registry = async (folder: string): Promise<void> => {
  const archive = pack()
  const manifest = { name: 'leaf', version: '1.0.0' }
  archive.entry({ name: 'package/package.json' }, JSON.stringify(manifest))
  archive.finalize()
  const tarball = gzipSync(await buffer(archive))
  mkdirSync(join(folder, 'tarballs'))
  writeFileSync(join(folder, 'tarballs/leaf-1.0.0.tgz'), tarball)
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
  const dist = { tarball: `http://npm.example:${FILES_PORT}/tarballs/leaf-1.0.0.tgz`, integrity }
  const document = {
    name: 'leaf',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { ...manifest, dist } },
  }
  writeFileSync(join(folder, 'leaf'), JSON.stringify(document))
}

/** Serves a folder with all of it. */
export const serveFiles = async (hosts: TwoHosts): Promise<Running> => {
  const folder = join(hosts.folder, 'files')
  mkdirSync(folder)
  repository(folder)
  await registry(folder)
  const [command, ...args] = [
    ...hosts.onFarHost,
    'python3',
    '-u',
    '-m',
    'http.server',
    `${FILES_PORT}`,
    '--bind',
    '::',
    '--directory',
    folder,
  ]
  return startProgram({ command, args, ready: /Serving/ })
}

/** Who may run a database: it refuses to be root. */
const NOBODY = 65_534

export const serveDatabase = async (hosts: TwoHosts, bin: string): Promise<Running> => {
  const folder = join(hosts.folder, 'database')
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  const data = join(folder, 'data')
  const asNobody = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    `--reuid=${NOBODY}`,
    `--regid=${NOBODY}`,
    '--clear-groups',
  ]
  const [setpriv = '', ...words] = asNobody
  const initdb = [join(bin, 'initdb'), '-D', data, '-U', 'far', '--auth=trust', '--no-sync']
  execFileSync(setpriv, [...words, ...initdb], {
    stdio: 'pipe',
    cwd: folder,
    env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
  })
  writeFileSync(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 trust\n')
  const settings = [
    `port=${DATABASE_PORT}`,
    'listen_addresses=0.0.0.0',
    'unix_socket_directories=',
    'fsync=off',
  ]
  const [command = '', ...args] = [
    ...hosts.onFarHost,
    ...asNobody,
    join(bin, 'postgres'),
    '-D',
    data,
    ...settings.flatMap((one) => ['-c', one]),
  ]
  const isReady = async (): Promise<boolean> => {
    const file = join(data, 'postmaster.pid')
    return existsSync(file) && readFileSync(file, 'utf8').includes('ready')
  }
  return startProgram({ command, args, cwd: folder, ready: isReady })
}
