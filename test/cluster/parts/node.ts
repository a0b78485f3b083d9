// Makes a control plane full: containerd with its first images, kubelet, kube-proxy, DNS. Done when
// the node is Ready and the cluster's DNS serves.

import { join } from 'node:path'
import { packBinary, packBusybox } from '../images/single-binary.ts'
import { createCgroups } from '../machine/cgroup.ts'
import { inside, type Machine } from '../machine/namespaces.ts'
import { startPart } from '../machine/part.ts'
import { attempt, run, words } from '../machine/run.ts'
import type { Program } from './binaries.ts'
import { NODE_NAME } from './certificates.ts'
import { importImage, PAUSE_IMAGE, startContainerd } from './containerd.ts'
import { API_SERVER_ON_NODE, POD_RANGE } from './control-plane.ts'
import { kubeProxy } from './kube-proxy.ts'
import { kubelet } from './kubelet.ts'
import { writeKubeconfig } from './kubeconfig.ts'

/** Where the policy enforcer reads the API; loopback of the cluster's own network. */
const POLICY_API_PORT = 8002

export interface NodeOptions {
  readonly id: string
  readonly machine: Machine
  readonly certificates: string
  readonly kubeconfig: string
  readonly program: (name: Program) => string
}

const importFirstImages = async ({ machine, program }: NodeOptions): Promise<void> => {
  const archive = (name: string): string => join(machine.dir, 'images', `${name}.tar`)
  const pack = {
    busybox: () => packBusybox(archive('busybox'), PAUSE_IMAGE),
    ...Object.fromEntries(
      (['agnhost', 'coredns'] as const).map((name) => [
        name,
        () =>
          packBinary(archive(name), `outrigger.test/${name}:1`, { file: program(name), as: name }),
      ]),
    ),
  }
  for (const [name, packIt] of Object.entries(pack)) {
    await packIt()
    await importImage(machine, archive(name))
  }
}

/** Adds the node; everything is started inside the machine and ends with it. */
export const addNode = async (options: NodeOptions): Promise<void> => {
  const { id, machine, certificates, program } = options
  const { dir } = machine
  const kubeconfig = (user: string): string =>
    writeKubeconfig(join(dir, `${user}.kubeconfig`), certificates, {
      user,
      server: API_SERVER_ON_NODE,
    })
  const kubectl = (line: string): readonly string[] =>
    inside(machine, [program('kubectl'), '--kubeconfig', options.kubeconfig, ...words(line)])
  await startContainerd(machine)
  await importFirstImages(options)
  const cgroupRoot = createCgroups(id)
  const argv = kubelet({
    program: program('kubelet'),
    dir,
    certificates,
    kubeconfig: kubeconfig('kubelet'),
    cgroupRoot,
  })
  const part = startPart(machine, { name: 'kubelet', argv })
  startPart(machine, {
    name: 'kube-proxy',
    argv: kubeProxy(program('kube-proxy'), dir, kubeconfig('kube-proxy')),
  })
  startPart(machine, {
    name: 'policy-api',
    argv: [
      program('kubectl'),
      '--kubeconfig',
      options.kubeconfig,
      ...words(`proxy --address=127.0.0.1 --port=${POLICY_API_PORT}`),
    ],
  })
  startPart(machine, {
    name: 'policy-enforcer',
    argv: [
      process.execPath,
      join(import.meta.dirname, '../main.ts'),
      'enforce-policies',
      `http://127.0.0.1:${POLICY_API_PORT}`,
      POD_RANGE,
    ],
  })
  await run(kubectl(`apply -f ${join(import.meta.dirname, 'dns.yaml')}`))
  const isTrue = async (line: string): Promise<true | undefined> =>
    (await attempt(kubectl(line))).code === 0 ? true : undefined
  await part.untilReady(() => isTrue(`wait --for=condition=Ready --timeout=1s node/${NODE_NAME}`))
  await part.untilReady(() =>
    isTrue('-n kube-system wait --for=condition=Available --timeout=1s deployment/coredns'),
  )
}
