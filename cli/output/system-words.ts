// What the system has answered, in words for people: never a code alone, and what helps where that is known. Pure.

import { codeOf } from '../../shared/error-code.ts'
import { messageOf, placedMessageOf } from '../../shared/message.ts'

export const IS_DIRECTORY = 'this is a directory, and a file is wanted'

const FILES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: IS_DIRECTORY,
  ENOTDIR: 'a part of the path is no directory',
  EACCES: 'it may not be read by this user',
  EPERM: 'it may not be read by this user',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'the name is longer than file names may be',
  EMFILE: 'too many files are open (ulimit -n)',
  EIO: 'the disk cannot read it',
}

const STREAMS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'the file has become larger than files may be',
  EIO: 'the device does not take it',
}

const FOLDERS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'it is no directory',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
}

/** Why nothing can be made in a directory. */
export const folderWords = (error: unknown): string =>
  FOLDERS[codeOf(error)] ?? `nothing can be made there: ${messageOf(error)}`

/** Why a file cannot be read. */
export const fileWords = (error: unknown): string =>
  FILES[codeOf(error)] ?? `it cannot be read: ${messageOf(error)}`

const PROGRAMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or no such directory to run it in',
  EACCES: 'it may not be executed by this user',
  E2BIG: 'its arguments and variables are larger than the system takes: 128 KiB each, 2 MiB in all',
  EAGAIN: 'this user has no process left (ulimit -u)',
  ENOMEM: 'there is no memory left for it',
}

/** Why a program cannot be started. */
export const programWords = (error: unknown): string => PROGRAMS[codeOf(error)] ?? messageOf(error)

const NO_HTTP = 'it speaks no HTTP there; over TLS the URL begins with https://'
const NO_TLS = 'it speaks no TLS there; without it the URL begins with http://'
const STRANGER =
  'nobody who is known here has signed its certificate (NODE_EXTRA_CA_CERTS=FILE names an authority)'

const REACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'no such host is known',
  EAI_AGAIN: 'no such host is known',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'the host does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not answer',
  HPE_INVALID_CONSTANT: NO_HTTP,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is that of another host',
  SELF_SIGNED_CERT_IN_CHAIN: STRANGER,
  DEPTH_ZERO_SELF_SIGNED_CERT: STRANGER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: STRANGER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: STRANGER,
}

/** What `fetch` says of a port that browsers ask nobody at. */
const BAD_PORT = 'bad port'

/** Why an HTTP server cannot be reached, by what `fetch` threw. */
export const reachWords = (error: unknown): string => {
  const cause =
    typeof error === 'object' && error !== null && 'cause' in error ? error.cause : error
  const words = REACHED[codeOf(cause)] ?? messageOf(cause)
  return words === BAD_PORT ? 'its port is one of another protocol, and is not asked' : words
}

/** The language's own errors: whoever meets one has found a fault of ours. */
const OWN_FAULT = /^(?:Type|Range|Reference|Syntax|Eval|URI|Aggregate)Error$/

/** Why a command has failed, by what it threw. */
export const whyFailed = (error: unknown): string => {
  const name =
    typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
  return OWN_FAULT.test(name) && codeOf(error) === ''
    ? `a fault of Outrigger's own; please report it with what was typed: ${messageOf(error)} (${name})`
    : placedMessageOf(error)
}

/** Why a stream takes no more. */
export const streamWords = (error: unknown): string => STREAMS[codeOf(error)] ?? messageOf(error)

export interface Asked {
  readonly host: string
  readonly port: number
  readonly adminPort: number
}

/** The port that an error is about, and the flag that names it. */
const portIn = (error: unknown, { port, adminPort }: Asked): string => {
  const found =
    typeof error === 'object' && error !== null && 'port' in error ? Number(error.port) : port
  return found === adminPort && found !== port ? `--admin-port ${found}` : `--port ${found}`
}

/** Why nobody can listen where it was asked for, and which flag says otherwise; undefined for any other error. */
export const listenWords = (error: unknown, asked: Asked): string | undefined => {
  const { host } = asked
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `${portIn(error, asked)}: something else listens there already; name another port, or 0 for any`
    case 'EACCES':
      return `${portIn(error, asked)}: this user may not listen on so low a port; name one from 1024`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `--host ${host}: no such host is known; name an address of this machine, such as 127.0.0.1`
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return `--host ${host}: this machine has no such address; 127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses`
    default:
      return undefined
  }
}
