// The message of whatever was thrown, in words that a person may be shown. By shape, not by class: what another realm
// threw (a test runner's, a worker's) has one too. Nothing else lives here.

import { getSystemErrorMap } from 'node:util'

type Thrown = Readonly<Partial<Record<string, unknown>>>

const isThrown = (error: unknown): error is Thrown => typeof error === 'object' && error !== null

/** What the system calls the error, with its code, by which others have asked before; of any other error undefined. */
const systemMessage = ({ errno, syscall, code }: Thrown): string | undefined => {
  const [, words] =
    typeof errno === 'number' && syscall !== undefined ? (getSystemErrorMap().get(errno) ?? []) : []
  return words === undefined ? undefined : `${words} (${String(code)})`
}

export const messageOf = (error: unknown): string => {
  if (!isThrown(error)) return String(error)
  const { message } = error
  return systemMessage(error) ?? (typeof message === 'string' ? message : 'something was thrown')
}

/** What a system's error is about: a file, a host, an address; empty where it does not say. */
export const subjectOf = (error: unknown): string => {
  if (!isThrown(error)) return ''
  const { path, hostname, address, port } = error
  if (typeof path === 'string') return path
  if (typeof hostname === 'string') return hostname
  return typeof address === 'string'
    ? `${address}${typeof port === 'number' ? ` ${port}` : ''}`
    : ''
}

/** The message, behind what it is about where that is known: for whoever does not say so already. */
export const placedMessageOf = (error: unknown): string => {
  const subject = subjectOf(error)
  return subject === '' ? messageOf(error) : `${subject}: ${messageOf(error)}`
}
