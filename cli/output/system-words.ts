// What the system has answered, in words for people: never a code alone, and what helps where that is known. Pure.

import { codeOf } from '../../shared/error-code.ts'
import { messageOf, placedMessageOf } from '../../shared/message.ts'

const FILES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a directory, and a file is wanted (only `inject --report` takes directories)',
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
