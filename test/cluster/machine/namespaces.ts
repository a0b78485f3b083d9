// The machine of a cluster: network, mount and process namespaces of its own, held by one
// process. When that process ends, the kernel ends everything in them: no process, mount, socket
// or interface is left. Inside, the paths that a node shares with its machine are its own.

import { spawn } from 'node:child_process'
import { mkdirSync, openSync, closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childOf, processName, type ProcessName } from './proc.ts'
import { attempt, words } from './run.ts'
import { Doomed, waitFor } from './waiting.ts'

export const NODE_ADDRESS = '10.123.0.1'

/** What containerd, CNI and the kubelet use at fixed places, each replaced by an own directory. */
const OWN_PATHS = [
  '/run/containerd',
  '/run/netns',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
  '/var/log/pods',
]

export interface Machine {
  readonly dir: string
  readonly holder: ProcessName
  /** The first process inside, by its number outside. */
  readonly initPid: number
}

/** What a kubelet sets for the whole machine (the kernel knows no namespace of them): it may write. */
const TUNABLES =
  'vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys ' +
  'kernel/keys/root_maxbytes'

const script = (dir: string): string => `set -eu
mount --make-rshared /
for path in ${OWN_PATHS.join(' ')}; do
  mkdir -p "$path" "${dir}/own$path"
  mount --bind "${dir}/own$path" "$path"
done
mkdir -p "${dir}/tunables"
for name in ${TUNABLES}; do
  copy="${dir}/tunables/$(basename $name)"
  cat "/proc/sys/$name" > "$copy"
  mount --bind "$copy" "/proc/sys/$name"
done
ip link set lo up
ip link add node0 type bridge
ip address add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add default via 10.123.0.254 dev node0
sysctl -qw net.ipv4.ip_forward=1
touch "${dir}/ready"
# The first process adopts orphans; a shell that waits also reaps them.
while :; do sleep 3600 & wait $! || :; done
`

/** Makes the namespaces. With \`dieWithUs\` the kernel ends them when this process ends. */
export const createMachine = async (
  dir: string,
  dieWithUs: boolean,
  onHolder: (holder: ProcessName) => void,
): Promise<Machine> => {
  mkdirSync(join(dir, 'logs'), { recursive: true })
  const file = join(dir, 'machine.sh')
  writeFileSync(file, script(dir))
  const log = openSync(join(dir, 'logs', 'machine.log'), 'a')
  const child = spawn(
    'setpriv',
    [
      '--pdeathsig',
      dieWithUs ? 'KILL' : 'clear',
      ...words('unshare --net --mount --propagation private --pid --fork --kill-child=KILL'),
      ...words('--mount-proc bash'),
      file,
    ],
    { detached: true, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  child.unref()
  const holder = child.pid === undefined ? undefined : processName(child.pid)
  if (holder === undefined) throw new Error('setpriv (util-linux) could not be started')
  onHolder(holder)
  const initPid = await waitFor(`namespaces (see ${dir}/logs/machine.log)`, async () => {
    if (child.exitCode !== null) throw new Doomed(`no namespaces: see ${dir}/logs/machine.log`)
    const ready = await attempt(['test', '-e', join(dir, 'ready')])
    return ready.code === 0 ? childOf(holder.pid) : undefined
  })
  return { dir, holder, initPid }
}

/** The line that runs a command as a process of the machine. */
export const inside = (machine: Machine, argv: readonly string[]): readonly string[] => [
  'nsenter',
  `--target=${machine.initPid}`,
  ...words('--net --mount --pid --'),
  ...argv,
]

/** The line that runs a command on the machine's network, otherwise as an ordinary process. */
export const onNetwork = (machine: Machine, argv: readonly string[]): readonly string[] => [
  'nsenter',
  `--target=${machine.initPid}`,
  ...words('--net --'),
  ...argv,
]
