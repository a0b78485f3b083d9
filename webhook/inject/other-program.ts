// In a namespace that opts in every pod comes here, also what is no MCP server at all: a database, a queue, a terminal, what
// answers an ACME challenge. A sidecar would break it, so what shows that is looked for first; what asks for a sidecar itself,
// or says how it is served, is taken at its word. Pure.

import { PREFIX, type Key } from '../../shared/annotations.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { isAskedFor } from './decide.ts'
import { nameOf } from './pod.ts'
import { mainPorts, type Port } from './ports.ts'
import type { Subject } from './subject.ts'

const ACME_SOLVER = 'acme.cert-manager.io/http01-solver'

/** Protocols by the ports that their programs have and nobody gives to HTTP; names of ports to the letter, since a server may be named after what it serves. */
const OTHERS: readonly (readonly [
  what: string,
  ports: readonly number[],
  names: readonly string[],
])[] = [
  ['PostgreSQL', [5432, 6432], ['postgres', 'postgresql', 'pgsql', 'psql', 'pgbouncer']],
  ['MySQL', [3306, 33_060], ['mysql', 'mysqlx', 'mariadb']],
  ['Redis', [6379, 16_379, 26_379], ['redis', 'valkey', 'sentinel']],
  ['MongoDB', [27_017], ['mongo', 'mongod', 'mongodb', 'mongos']],
  ['AMQP', [5671, 5672, 4369, 25_672], ['amqp', 'amqps', 'epmd']],
  ['Kafka', [9092], ['kafka']],
  ['NATS', [4222, 6222], ['nats']],
  ['MQTT', [1883, 8883], ['mqtt', 'mqtts']],
  ['etcd', [2379, 2380], ['etcd']],
  ['ZooKeeper', [2181], ['zookeeper']],
  ['memcached', [11_211], ['memcache', 'memcached']],
  ['Cassandra', [9042], ['cql', 'cassandra']],
  ['SQL Server', [1433], ['mssql']],
  ['LDAP', [389, 636], ['ldap', 'ldaps']],
  ['SMTP', [25, 465, 587], ['smtp', 'smtps']],
  ['SSH', [22], ['ssh']],
]
/** Theirs too, and by themselves anybody's: between brokers, between nodes of a ring, a monitor. */
const COMPANIONS: ReadonlySet<number> = new Set([9093, 7000, 7001, 2888, 3888, 8222])

const protocolOf = ({ number, name }: Port): string | undefined =>
  OTHERS.find(([, ports, names]) => ports.includes(number) || names.includes(name))?.[0]

/** What the ports speak, where none of them could be a server's. */
const protocolsOf = (server: JsonObject): readonly string[] => {
  const ports = mainPorts(server)
  const known = ports.flatMap((port) => protocolOf(port) ?? [])
  const isTheirs = (port: Port): boolean =>
    protocolOf(port) !== undefined || COMPANIONS.has(port.number)
  return ports.every(isTheirs) ? [...new Set(known)] : []
}

/** What shows that it is none, as the beginning of a sentence. */
const signOf = (server: JsonObject, pod: JsonObject): string | undefined => {
  if (at(pod, 'metadata', 'labels', ACME_SOLVER) !== undefined) return 'it solves an ACME challenge'
  if (at(server, 'tty') === true) return 'it has a terminal'
  const protocols = protocolsOf(server)
  return protocols.length === 0 ? undefined : `by its ports it speaks ${protocols.join(' and ')}`
}

const WORDS = [
  'container',
  'transport',
  'command',
  'port',
  'path',
] as const satisfies readonly Key[]

/** Why a pod that a namespace's label alone brings here holds no server; undefined where it may. */
export const otherProgram = (server: JsonObject, subject: Subject): Violation | undefined => {
  const { placed } = subject.resolution
  if (isAskedFor(subject) || WORDS.some((key) => placed.get(key)?.isDefault === false)) {
    return undefined
  }
  const sign = signOf(server, subject.pod)
  if (sign === undefined) return undefined
  const message = `container ${nameOf(server)}: taken for no MCP server, since ${sign}; if it is one, set ${PREFIX}inject: "true", else run it in another namespace`
  return violation('no-server', message)
}
