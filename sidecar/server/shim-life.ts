// Whether a shim lives, asked of the kernel: it has an abstract name for as long as it does, which nobody can take from it.

import { connect } from 'node:net'
import { codeOf } from '../../shared/error-code.ts'

export type Life = 'there' | 'gone' | 'unknown'

const PREFIX = '\0outrigger-shim-'

const LIVES: ReadonlyMap<string, Life> = new Map([
  // Nobody answers there, and the queue is short.
  ['EAGAIN', 'there'],
  ['ECONNREFUSED', 'gone'],
])

/** Of the one with this mark; `unknown`: the kernel, or what guards it, does not say. */
export const lifeOf = (mark: string): Promise<Life> =>
  new Promise((resolve) => {
    const socket = connect({ path: `${PREFIX}${mark}` })
    socket.once('error', (error) => resolve(LIVES.get(codeOf(error)) ?? 'unknown'))
    socket.once('connect', () => {
      resolve('there')
      socket.destroy()
    })
  })
