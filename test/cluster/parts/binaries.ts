// Finds the programs that Debian does not have: in KUBEBUILDER_ASSETS, in the cache, else builds
// them from the Go modules in go/ (pinned in go.mod, checksummed in go.sum) into the cache.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findTool, type Size } from './host-tools.ts'
import { run, words } from '../machine/run.ts'

const MODULES = join(import.meta.dirname, '..', 'go')

/** The folder in go/ and the module whose version names the cache's folder. */
const VERSIONED = {
  kubernetes: 'k8s.io/kubernetes',
  coredns: 'github.com/coredns/coredns',
  'mcp-server': 'github.com/modelcontextprotocol/go-sdk',
  helm: 'helm.sh/helm/v4',
} as const
type Module = keyof typeof VERSIONED

interface Source {
  readonly module: Module
  readonly path: string
  readonly size: Size
}

const command = (name: string, size: Size): Source => ({
  module: 'kubernetes',
  path: `k8s.io/kubernetes/cmd/${name}`,
  size,
})

/** In the order in which they are built; the API server goes first. */
const PROGRAMS = {
  'kube-apiserver': command('kube-apiserver', 'control'),
  'kube-controller-manager': command('kube-controller-manager', 'control'),
  'kube-scheduler': command('kube-scheduler', 'control'),
  kubectl: command('kubectl', 'control'),
  kubelet: command('kubelet', 'full'),
  'kube-proxy': command('kube-proxy', 'full'),
  agnhost: { module: 'kubernetes', path: 'k8s.io/kubernetes/test/images/agnhost', size: 'full' },
  coredns: { module: 'coredns', path: '.', size: 'full' },
  'mcp-server': { module: 'mcp-server', path: '.', size: 'full' },
  helm: { module: 'helm', path: 'helm.sh/helm/v4/cmd/helm', size: 'full' },
  'mcp-http-server': { module: 'mcp-server', path: './mcp-http-server', size: 'full' },
  'egress-server': { module: 'mcp-server', path: './egress-server', size: 'full' },
} as const satisfies Record<string, Source>

export type Program = keyof typeof PROGRAMS

const NAMES = Object.keys(PROGRAMS).filter((name): name is Program => name in PROGRAMS)

/** The version of its main subject that a module's go.mod pins, e.g. v1.36.3. */
export const versionOf = (module: Module): string => {
  const text = readFileSync(join(MODULES, module, 'go.mod'), 'utf8')
  const line = text
    .split('\n')
    .find((each) => each.includes(` v`) && wordsOf(each).includes(VERSIONED[module]))
  const version = line === undefined ? undefined : wordsOf(line).find((word) => /^v\d/.test(word))
  if (version === undefined) throw new Error(`go/${module}/go.mod names no ${VERSIONED[module]}`)
  return version
}

const wordsOf = (line: string): readonly string[] => line.trim().split(/\s+/)

export interface Sources {
  /** KUBEBUILDER_ASSETS: a folder of ready programs. */
  readonly assets: string | undefined
  /** Where built programs are kept between runs. */
  readonly cache: string
  readonly searchPath: string
  readonly say: (line: string) => void
}

const linkerFlags = (module: Module): string => {
  if (module !== 'kubernetes') return '-s -w'
  const [major, minor] = versionOf(module).slice(1).split('.')
  const stamps = {
    gitVersion: versionOf(module),
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    buildDate: '1970-01-01T00:00:00Z',
  }
  const flags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap(
    (target) => Object.entries(stamps).map(([key, value]) => `-X ${target}.${key}=${value}`),
  )
  return ['-s', '-w', ...flags].join(' ')
}

/** Builds into a folder aside and moves what is complete: a killed build leaves no half program. */
const build = async (
  module: Module,
  programs: readonly Program[],
  folder: string,
): Promise<void> => {
  const aside = join(folder, `building-${process.pid}`)
  mkdirSync(aside, { recursive: true })
  try {
    await run(
      [
        ...words('env CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 go build -trimpath -ldflags'),
        linkerFlags(module),
        '-o',
        `${aside}/`,
        ...programs.map((name) => PROGRAMS[name].path),
      ],
      { cwd: join(MODULES, module) },
    )
    for (const name of readdirSync(aside)) renameSync(join(aside, name), join(folder, name))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

const goMissing =
  'go is missing: install Go 1.26 or newer to build Kubernetes from its module, or set ' +
  'KUBEBUILDER_ASSETS to a folder with its programs'

const folderOf = (module: Module, cache: string): string =>
  join(cache, module, `${versionOf(module)}-${process.arch}`)

/** What is built in one call of go, one after the other. */
const groups = (needed: readonly Program[]): readonly (readonly Program[])[] => [
  // The API server alone first: it is most of the work, and most of what people wait for.
  ['kube-apiserver'],
  needed.filter((name) => PROGRAMS[name].module === 'kubernetes'),
  needed.filter((name) => PROGRAMS[name].module === 'coredns'),
  needed.filter((name) => PROGRAMS[name].module === 'mcp-server'),
  needed.filter((name) => PROGRAMS[name].module === 'helm'),
]

/** The path of every program that a size needs. Builds what is nowhere. */
export const builtBinaries = async (
  size: Size,
  sources: Sources,
): Promise<ReadonlyMap<Program, string>> => {
  const needed = NAMES.filter((name) => size === 'full' || PROGRAMS[name].size === 'control')
  const find = (name: Program): string | undefined =>
    [sources.assets, folderOf(PROGRAMS[name].module, sources.cache)]
      .flatMap((place) => (place === undefined ? [] : [join(place, name)]))
      .find((path) => existsSync(path))
  for (const group of groups(needed)) {
    const missing = group.filter((name) => find(name) === undefined)
    const [first] = missing
    if (first === undefined) continue
    if (findTool('go', sources.searchPath) === undefined) throw new Error(goMissing)
    const { module } = PROGRAMS[first]
    sources.say(`building ${missing.join(', ')} ${versionOf(module)} (minutes, once)`)
    await build(module, missing, folderOf(module, sources.cache))
  }
  return new Map(needed.map((name) => [name, find(name) ?? '']))
}

/** etcd: in KUBEBUILDER_ASSETS, else the machine's. */
export const etcdBinary = (sources: Sources): string => {
  const asset = sources.assets === undefined ? undefined : join(sources.assets, 'etcd')
  return asset !== undefined && existsSync(asset) ? asset : 'etcd'
}
