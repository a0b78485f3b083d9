// containerd of a node, with everything it keeps in the cluster's directory, and the images that
// are put into it. It pulls nothing: there is no way out of the cluster's network.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside, type Machine } from '../machine/namespaces.ts'
import { startPart } from '../machine/part.ts'
import { attempt, run, words } from '../machine/run.ts'
import { POD_RANGE } from './control-plane.ts'

/** The image of every pod's first container. */
export const PAUSE_IMAGE = 'outrigger.test/busybox:1'

const socketOf = (dir: string): string => join(dir, 'containerd.sock')

/** Where the kubelet finds containerd. */
export const runtimeEndpoint = (dir: string): string => `unix://${socketOf(dir)}`

const config = (dir: string): string => `version = 2
root = "${dir}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.restart",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "${socketOf(dir)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${dir}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`

/** A link and a route a pod, no bridge: all that pods say to one another passes the node's rules. */
const network = {
  cniVersion: '1.0.0',
  name: 'outrigger',
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
}

const ctr = (machine: Machine, line: string): readonly string[] =>
  inside(machine, ['ctr', '--address', socketOf(machine.dir), ...words(line)])

/** Starts containerd; it answers when this returns. */
export const startContainerd = async (machine: Machine): Promise<void> => {
  const { dir } = machine
  mkdirSync(join(dir, 'cni'), { recursive: true })
  writeFileSync(join(dir, 'cni', '10-outrigger.conflist'), JSON.stringify(network))
  const file = join(dir, 'containerd.toml')
  writeFileSync(file, config(dir))
  const part = startPart(machine, { name: 'containerd', argv: ['containerd', '--config', file] })
  await part.untilReady(async () =>
    (await attempt(ctr(machine, 'version'))).code === 0 ? true : undefined,
  )
}

/** Puts the images of a docker archive into the node. */
export const importImage = async (machine: Machine, archive: string): Promise<void> => {
  await run(ctr(machine, `--namespace k8s.io images import ${archive}`))
}
