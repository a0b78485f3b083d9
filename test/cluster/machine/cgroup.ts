// The cgroups of a cluster's pods: one of the cluster's own in every hierarchy that the machine
// has mounted (version 1), or in the single one (version 2), so that no two kubelets share any.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/sys/fs/cgroup'

const hierarchies = (): readonly string[] =>
  existsSync(join(ROOT, 'cgroup.controllers'))
    ? [ROOT]
    : readdirSync(ROOT).map((name) => join(ROOT, name))

const nameOf = (id: string): string => `outrigger-${id}`

/** The cgroups that a cluster has now. */
export const cgroupsOf = (id: string): readonly string[] =>
  hierarchies()
    .map((hierarchy) => join(hierarchy, nameOf(id)))
    .filter((path) => existsSync(path))

/** cpuset is the one controller whose new cgroups (version 1) hold nothing until they are told. */
const inheritCpuset = (hierarchy: string, cgroup: string): void => {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const parent = join(hierarchy, file)
    if (existsSync(parent)) writeFileSync(join(cgroup, file), readFileSync(parent))
  }
}

/** Makes them; gives the path below the hierarchy's root, as the kubelet wants it. */
export const createCgroups = (id: string): string => {
  for (const hierarchy of hierarchies()) {
    const cgroup = join(hierarchy, nameOf(id))
    mkdirSync(cgroup, { recursive: true })
    if (hierarchy === ROOT) {
      const controllers = readFileSync(join(ROOT, 'cgroup.controllers'), 'utf8').trim().split(' ')
      writeFileSync(
        join(ROOT, 'cgroup.subtree_control'),
        controllers.map((name) => `+${name}`).join(' '),
      )
    } else {
      inheritCpuset(hierarchy, cgroup)
    }
  }
  return `/${nameOf(id)}`
}
