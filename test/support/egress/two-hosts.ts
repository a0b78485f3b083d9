// Two hosts joined by one wire, as root can make them: a pod, and all the world beside it. The namespaces belong to one process that
// ends with this one, so nothing of them outlives a crash; they have no names, so runs beside each other don't meet.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { childrenOf, isAlive } from '../proc.ts'
import { SIDECAR_UID } from '../users.ts'
import { within } from '../waiting.ts'
import { FAR_ADDRESSES, RESOLVER } from './addresses.ts'
import { Capture } from './capture.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/egress')

/** Ends with whoever has started it. */
const WITH_US = ['setpriv', '--pdeathsig', 'KILL']

/** In a pod ndots is 5: nearly every name is tried with the search list first. */
const RESOLV_CONF = `nameserver ${RESOLVER}
search team.svc.cluster.local svc.cluster.local cluster.local
options ndots:5 timeout:1 attempts:1
`

const farAddress = (address: string): string =>
  `address add ${address}/${address.includes(':') ? 128 : 32} dev lo${address.includes(':') ? ' nodad' : ''}`

/** The pod's sidecar sends from other addresses than whoever else is in the pod, by its user's routing table. */
const POD_BATCH = `link set lo up
link set eth0 addrgenmode none
address add 10.77.0.2/24 dev eth0
address add 10.77.0.3/24 dev eth0
address add fd77::2/64 dev eth0 nodad
address add fd77::3/64 dev eth0 nodad
address add fe80::2/64 dev eth0 nodad
link set eth0 up
route add default via 10.77.0.1 src 10.77.0.2
route add default via fd77::1 src fd77::2
route add default via 10.77.0.1 dev eth0 src 10.77.0.3 table 100
route add default via fd77::1 dev eth0 src fd77::3 table 100
rule add uidrange ${SIDECAR_UID}-${SIDECAR_UID} lookup 100 priority 100
-6 rule add uidrange ${SIDECAR_UID}-${SIDECAR_UID} lookup 100 priority 100
`

const FAR_BATCH = `link set lo up
link set eth1 addrgenmode none
address add 10.77.0.1/24 dev eth1
address add fd77::1/64 dev eth1 nodad
address add fe80::1/64 dev eth1 nodad
link set eth1 up
${FAR_ADDRESSES.map(farAddress).join('\n')}
`

/** Lines of `-6` in a batch are of a family that the program has to be told. */
const batch = (file: string, lines: string): void => {
  const of = (isSix: boolean): string =>
    lines
      .split('\n')
      .filter((line) => line.startsWith('-6 ') === isSix)
      .map((line) => line.replace(/^-6 /, ''))
      .join('\n')
  writeFileSync(file, of(false))
  writeFileSync(`${file}6`, of(true))
}

const script = (folder: string): string => `set -eu
mount --make-rprivate /
mount --bind ${folder}/resolv.conf /etc/resolv.conf
unshare --net ${WITH_US.join(' ')} sleep infinity &
pod=$!
until [ "$(readlink /proc/$pod/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.005; done
ip link add eth1 type veth peer name eth0 netns $pod
ip -batch ${folder}/far
in_pod="nsenter --net=/proc/$pod/ns/net"
$in_pod ip -batch ${folder}/pod
$in_pod ip -6 -batch ${folder}/pod6
echo "0 2147483647" | $in_pod sh -c 'cat > /proc/sys/net/ipv4/ping_group_range'
echo $pod
wait
`

/** What the far host serves at a path, whatever the host. */
export type Pages = Readonly<Record<string, string>>

export interface TwoHostsOptions {
  readonly pages: Pages
  readonly zone: Readonly<Record<string, readonly string[] | readonly (readonly string[])[]>>
  /** Of the far host's TLS servers. */
  readonly cert: string
  readonly key: string
}

/** A line of /proc/net/tcp of who listens, and at which port. */
const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /gm

const firstLine = (child: ChildProcess, what: string): Promise<string> => {
  const { stdout } = child
  if (!stdout) throw new Error('its output is read')
  const line = new Promise<string>((resolve, reject) => {
    createInterface({ input: stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`${what} ended with ${code}`)))
    child.once('error', reject)
  })
  return within(line, () => what)
}

export class TwoHosts {
  readonly folder: string
  readonly capture: Capture
  private readonly children: readonly ChildProcess[]
  private readonly enterFar: readonly string[]
  private readonly enterPod: readonly string[]
  private readonly pod: string

  private constructor(
    folder: string,
    capture: Capture,
    children: readonly ChildProcess[],
    [far, pod]: readonly [string, string],
  ) {
    this.folder = folder
    this.capture = capture
    this.children = children
    this.enterFar = enter(far, far)
    this.enterPod = enter(far, pod)
    this.pod = pod
  }

  static async start(options: TwoHostsOptions): Promise<TwoHosts> {
    const folder = mkdtempSync(join(tmpdir(), 'two-hosts-'))
    chmodSync(folder, 0o1777)
    batch(join(folder, 'pod'), POD_BATCH)
    batch(join(folder, 'far'), FAR_BATCH)
    writeFileSync(join(folder, 'resolv.conf'), RESOLV_CONF)
    writeFileSync(join(folder, 'internet.json'), JSON.stringify(options))
    const words = [...WITH_US, 'unshare', '--net', '--mount', 'sh', '-c', script(folder)]
    const holder = run(words)
    const pod = await firstLine(holder, 'the namespaces')
    const far = `${holder.pid}`
    const judge = run([
      ...enter(far, far),
      ...WITH_US,
      'python3',
      join(FIXTURES, 'judge.py'),
      'eth1',
      '10.77.0.2',
    ])
    const capture = new Capture(judge)
    const internet = run([
      ...enter(far, far),
      ...WITH_US,
      process.execPath,
      join(FIXTURES, 'internet.ts'),
      join(folder, 'internet.json'),
    ])
    await Promise.all([
      within(capture.ready, () => 'the capture'),
      firstLine(internet, 'the far host'),
    ])
    return new TwoHosts(folder, capture, [internet, judge, holder], [far, pod])
  }

  /** The words that run what follows in the pod, as root, until this process ends. */
  get inPod(): readonly string[] {
    return [...this.enterPod, ...WITH_US]
  }

  /** The same on the far host. */
  get onFarHost(): readonly string[] {
    return [...this.enterFar, ...WITH_US]
  }

  /** The TCP ports on which somebody in the pod listens. */
  listening(): readonly number[] {
    const tables = ['tcp', 'tcp6'].map((name) =>
      readFileSync(`/proc/${this.pod}/net/${name}`, 'latin1'),
    )
    return tables.flatMap((table) =>
      [...table.matchAll(LISTENING)].map(([, port = '']) => Number.parseInt(port, 16)),
    )
  }

  async close(): Promise<void> {
    this.capture.close()
    for (const child of this.children) {
      const pods = childrenOf(child.pid ?? 0)
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await gone
      for (const pid of pods) await within(untilGone(pid), () => `the end of ${pid}`)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const untilGone = async (pid: number): Promise<void> => {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5))
}

const run = (words: readonly string[]): ChildProcess => {
  const [file = '', ...rest] = words
  return spawn(file, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** One host's network, with the files that both see. */
const enter = (holder: string, host: string): readonly string[] => [
  'nsenter',
  `--mount=/proc/${holder}/ns/mnt`,
  `--net=/proc/${host}/ns/net`,
]
