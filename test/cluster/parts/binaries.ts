// Finds Kubernetes' own programs: in KUBEBUILDER_ASSETS, in the cache, else builds them from the
// Go module beside this folder (pinned in go.mod, checksummed in go.sum) into the cache.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { findTool, type Size } from './host-tools.ts'
import { run, words } from '../machine/run.ts'

const MODULE = join(import.meta.dirname, '..')

/** Package of each program, in the order in which they are built; the API server goes first. */
const PROGRAMS = {
  'kube-apiserver': { path: 'k8s.io/kubernetes/cmd/kube-apiserver', size: 'control' },
  'kube-controller-manager': {
    path: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    size: 'control',
  },
  'kube-scheduler': { path: 'k8s.io/kubernetes/cmd/kube-scheduler', size: 'control' },
  kubectl: { path: 'k8s.io/kubernetes/cmd/kubectl', size: 'control' },
  kubelet: { path: 'k8s.io/kubernetes/cmd/kubelet', size: 'full' },
  'kube-proxy': { path: 'k8s.io/kubernetes/cmd/kube-proxy', size: 'full' },
  agnhost: { path: 'k8s.io/kubernetes/test/images/agnhost', size: 'full' },
} as const satisfies Record<string, { path: string; size: Size }>

export type Program = keyof typeof PROGRAMS

const NAMES = Object.keys(PROGRAMS).filter((name): name is Program => name in PROGRAMS)

/** The version that go.mod pins, e.g. v1.36.3. */
export const kubernetesVersion = (): string => {
  const [, version] =
    /^\s*(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(
      readFileSync(join(MODULE, 'go.mod'), 'utf8'),
    ) ?? []
  if (version === undefined) throw new Error('test/cluster/go.mod names no k8s.io/kubernetes')
  return version
}

export interface Sources {
  /** KUBEBUILDER_ASSETS: a folder of ready programs. */
  readonly assets: string | undefined
  /** Where built programs are kept between runs. */
  readonly cache: string
  readonly searchPath: string
  readonly say: (line: string) => void
}

const versionFlags = (version: string): string => {
  const [major, minor] = version.slice(1).split('.')
  const stamps = {
    gitVersion: version,
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
const build = async (programs: readonly Program[], folder: string): Promise<void> => {
  const aside = join(folder, `building-${process.pid}`)
  mkdirSync(aside, { recursive: true })
  try {
    await run(
      [
        ...words('env CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 go build -trimpath -ldflags'),
        versionFlags(kubernetesVersion()),
        '-o',
        `${aside}/`,
        ...programs.map((name) => PROGRAMS[name].path),
      ],
      { cwd: MODULE },
    )
    for (const name of readdirSync(aside)) renameSync(join(aside, name), join(folder, name))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

const goMissing =
  'go is missing: install Go 1.26 or newer to build Kubernetes from its module, or set ' +
  'KUBEBUILDER_ASSETS to a folder with its programs'

/** The path of every program that a size needs. Builds what is nowhere. */
export const kubernetesBinaries = async (
  size: Size,
  sources: Sources,
): Promise<ReadonlyMap<Program, string>> => {
  const needed = NAMES.filter((name) => size === 'full' || PROGRAMS[name].size === 'control')
  const folder = join(sources.cache, 'kubernetes', `${kubernetesVersion()}-${process.arch}`)
  const find = (name: Program): string | undefined =>
    [sources.assets, folder]
      .flatMap((place) => (place === undefined ? [] : [join(place, name)]))
      .find((path) => existsSync(path))
  // The API server alone first: it is most of the work, and most of what people wait for.
  for (const group of [['kube-apiserver'] as const, needed]) {
    const missing = group.filter((name) => find(name) === undefined)
    if (missing.length === 0) continue
    if (findTool('go', sources.searchPath) === undefined) throw new Error(goMissing)
    sources.say(`building ${missing.join(', ')} ${kubernetesVersion()} (minutes, once)`)
    await build(missing, folder)
  }
  return new Map(needed.map((name) => [name, find(name) ?? '']))
}

/** etcd: in KUBEBUILDER_ASSETS, else the machine's. */
export const etcdBinary = (sources: Sources): string => {
  const asset = sources.assets === undefined ? undefined : join(sources.assets, 'etcd')
  return asset !== undefined && existsSync(asset) ? asset : 'etcd'
}
