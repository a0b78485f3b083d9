// Two network namespaces that see each other as two pods do, for tests that run as root: what listens in the one,
// and who reaches it from the other.

import { execFileSync } from 'node:child_process'
import { Caller, type HttpAnswer, type HttpQuestion } from './caller.ts'

/** The addresses of the pod under test. */
export const POD_IPV4 = '10.77.0.2'
export const POD_IPV6 = 'fd77::2'

/** One TCP socket that listens. */
export interface Listener {
  readonly address: string
  readonly port: number
}

const ip = (...words: string[]): void => void execFileSync('ip', words, { stdio: 'pipe' })

// As people write it: `127.0.0.1`, `::1`, `::ffff:7f00:1`.
const addressOf = (hex: string): string => {
  // The kernel prints words of 32 bits as a little-endian machine has them.
  const bytes = Buffer.from(hex, 'hex').swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = bytes.toString('hex').match(/.{4}/g) ?? []
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

const LISTEN = '0A'

const listenersOf = (table: string): Listener[] =>
  table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map(([, local = '']) => {
      const [address = '', port = ''] = local.split(':')
      return { address: addressOf(address), port: Number.parseInt(port, 16) }
    })

const LOOPBACKS = /^(127\.|::1$|::ffff:7f)/

/** Whether nobody from outside can reach this address. */
export const isLoopback = ({ address }: Listener): boolean => LOOPBACKS.test(address)

export class PodNetwork {
  readonly pod: string
  private readonly other: string
  private readonly fromPod: Caller
  private readonly fromOther: Caller

  constructor(name: string) {
    this.pod = `${name}-pod-${process.pid}`
    this.other = `${name}-other-${process.pid}`
    this.fromPod = new Caller(this.enterPod)
    this.fromOther = new Caller(this.enterOther)
    const end = 'eth1'
    for (const each of [this.pod, this.other]) {
      ip('netns', 'add', each)
      ip('-n', each, 'link', 'set', 'lo', 'up')
    }
    ip('-n', this.pod, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', end)
    ip('-n', this.pod, 'link', 'set', end, 'netns', this.other)
    this.up(this.pod, 'eth0', [`${POD_IPV4}/24`, `${POD_IPV6}/64`, 'fe80::2/64'])
    this.up(this.other, end, ['10.77.0.3/24', 'fd77::3/64'])
  }

  private up(namespace: string, device: string, addresses: readonly string[]): void {
    ip('-n', namespace, 'link', 'set', device, 'addrgenmode', 'none')
    for (const address of addresses) {
      const noWait = address.includes(':') ? ['nodad'] : []
      ip('-n', namespace, 'addr', 'add', address, 'dev', device, ...noWait)
    }
    ip('-n', namespace, 'link', 'set', device, 'up')
  }

  /** The words that run what follows in the pod. */
  get enterPod(): string[] {
    return ['nsenter', `--net=/run/netns/${this.pod}`]
  }

  /** The same in the other one. */
  get enterOther(): string[] {
    return ['nsenter', `--net=/run/netns/${this.other}`]
  }

  /** From now on nothing gets from the one to the other, and neither is told. */
  cut(): void {
    ip('-n', this.other, 'link', 'set', 'eth1', 'down')
  }

  private run(namespace: string, words: readonly string[]): string {
    const enter = [`--net=/run/netns/${namespace}`]
    return execFileSync('nsenter', [...enter, ...words], { encoding: 'utf8' })
  }

  /** What listens in the pod. */
  listeners(): Listener[] {
    return listenersOf(this.run(this.pod, ['cat', '/proc/net/tcp', '/proc/net/tcp6']))
  }

  /** What comes of dialling the pod from the other one: `reached`, or the error's code. */
  async dialFromOther(host: string, port: number): Promise<string> {
    return (await this.fromOther.ask({ host, port })).text
  }

  /** The same from within the pod. */
  async dialFromPod(host: string, port: number): Promise<string> {
    return (await this.fromPod.ask({ host, port })).text
  }

  /** What comes of an HTTP request from the other pod. */
  askFromOther(url: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
    return this.fromOther.ask({ ...question, url })
  }

  /** The same from within the pod. */
  askFromPod(url: string, question: HttpQuestion = {}): Promise<HttpAnswer> {
    return this.fromPod.ask({ ...question, url })
  }

  close(): void {
    this.fromPod.close()
    this.fromOther.close()
    for (const each of [this.pod, this.other]) ip('netns', 'del', each)
  }
}
