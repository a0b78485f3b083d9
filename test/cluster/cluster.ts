// Brings a cluster up, part by part, and makes a small one full. The order is the dependency;
// what each part is told stands in parts/, and the machine they live on in machine/.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createMachine, inside, type Machine } from './machine/namespaces.ts'
import { startPart } from './machine/part.ts'
import { bootId, processName } from './machine/proc.ts'
import { attempt, run } from './machine/run.ts'
import { createState, directoryOf, readState, writeState, type State } from './machine/state.ts'
import { etcdBinary, builtBinaries, type Program, type Sources } from './parts/binaries.ts'
import { createCertificates } from './parts/certificates.ts'
import * as plane from './parts/control-plane.ts'
import { openGateway } from './parts/gateway.ts'
import type { Size } from './parts/host-tools.ts'
import { writeKubeconfig } from './parts/kubeconfig.ts'
import { addNode } from './parts/node.ts'

export interface Cluster {
  readonly id: string
  readonly dir: string
  readonly machine: Machine
  readonly binaries: ReadonlyMap<Program, string>
  readonly certificates: string
  /** For processes on the cluster's own network. */
  readonly kubeconfig: string
  /** For people, from outside it. */
  readonly kubeconfigOutside: string
}

export interface UpOptions {
  readonly size: Size
  readonly sources: Sources
  /** The cluster is this process's own and ends with it. */
  readonly dieWithUs: boolean
}

/** A program's path; every one of the size has been found or built before. */
export const programOf = (binaries: ReadonlyMap<Program, string>, program: Program): string => {
  const path = binaries.get(program)
  if (path === undefined) throw new Error(`${program} is not part of this size`)
  return path
}

const startControlPlane = async (
  machine: Machine,
  binaries: ReadonlyMap<Program, string>,
  { etcd, certificates }: { readonly etcd: string; readonly certificates: string },
): Promise<void> => {
  const kubeconfig = (user: string): string =>
    writeKubeconfig(join(machine.dir, `${user}.kubeconfig`), certificates, {
      user,
      server: plane.API_SERVER,
    })
  startPart(machine, { name: 'etcd', argv: plane.etcd(etcd, machine.dir) })
  const server = startPart(machine, {
    name: 'kube-apiserver',
    argv: plane.apiServer(programOf(binaries, 'kube-apiserver'), certificates),
  })
  const kubectl = programOf(binaries, 'kubectl')
  const ask = [kubectl, '--kubeconfig', kubeconfig('admin')]
  await server.untilReady(async () => {
    const answer = await attempt(inside(machine, [...ask, 'get', '--raw', '/readyz']))
    return answer.code === 0 ? true : undefined
  })
  startPart(machine, {
    name: 'kube-controller-manager',
    argv: plane.controllerManager(
      programOf(binaries, 'kube-controller-manager'),
      certificates,
      kubeconfig('controller-manager'),
    ),
  })
  const scheduler = startPart(machine, {
    name: 'kube-scheduler',
    argv: plane.scheduler(programOf(binaries, 'kube-scheduler'), kubeconfig('scheduler')),
  })
  // The controller manager makes it; without it no pod can be created in the namespace.
  await scheduler.untilReady(async () => {
    const account = [...ask, '-n', 'default', 'get', 'serviceaccount', 'default']
    return (await attempt(inside(machine, account))).code === 0 ? true : undefined
  })
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? ''

const newState = (size: Size): State => {
  const owner = processName(process.pid)
  const state: State = {
    id: randomBytes(4).toString('hex'),
    size,
    bootId: bootId(),
    outside: [],
    versions: {},
    ...(owner === undefined ? {} : { owner }),
  }
  createState(state)
  return state
}

/** Brings up a control plane; the state file is on disk before anything is started. */
export const bringUp = async (options: UpOptions): Promise<Cluster> => {
  const { size, sources, dieWithUs } = options
  const binaries = await builtBinaries(size, sources)
  const etcd = etcdBinary(sources)
  let state = newState('control')
  const note = (more: Partial<State>): void => writeState((state = { ...state, ...more }))
  const dir = directoryOf(state.id)
  const machine = await createMachine(dir, dieWithUs, (holder) => note({ holder }))
  const certificates = await createCertificates(dir)
  await startControlPlane(machine, binaries, { etcd, certificates })
  const gateway = await openGateway(machine, dieWithUs)
  const versions = {
    kubernetes: firstLine(await run([programOf(binaries, 'kube-apiserver'), '--version'])),
    etcd: firstLine(await run([etcd, '--version'])),
  }
  note({ port: gateway.port, outside: [gateway.outside], versions })
  const kubeconfigOutside = writeKubeconfig(join(dir, 'kubeconfig'), certificates, {
    user: 'admin',
    server: `https://127.0.0.1:${gateway.port}`,
  })
  const kubeconfig = join(dir, 'admin.kubeconfig')
  const cluster = { id: state.id, dir, machine, binaries, certificates, kubeconfig }
  return { ...cluster, kubeconfigOutside }
}

/** Makes a small cluster full: a node that runs pods. */
export const growFull = async (cluster: Cluster): Promise<void> => {
  await addNode({ ...cluster, program: (name) => programOf(cluster.binaries, name) })
  const state = readState(cluster.id)
  const containerd = firstLine(await run(['containerd', '--version']))
  const runc = firstLine(await run(['runc', '--version']))
  if (state === undefined) return
  writeState({ ...state, size: 'full', versions: { ...state.versions, containerd, runc } })
}
