// A client on a thread of its own that asks twice on one TLS connection: the second time as soon as it has the first answer,
// in a record for the head and one for the body. So the server may still be busy with the first.

import { Worker } from 'node:worker_threads'

const ASKER = `
const { connect } = require('node:tls')
const { parentPort, workerData: { port, ca, body, flag, path } } = require('node:worker_threads')
const asked = new Int32Array(flag)
const head = 'POST ' + path + ' HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\ncontent-length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n'
const lengths = []
let text = ''
const socket = connect({ port, host: '127.0.0.1', ca, noDelay: true })
const ask = () => { socket.write(head); socket.write(body) }
socket.setEncoding('latin1').on('data', (chunk) => {
  text += chunk
  const start = text.indexOf('\\r\\n\\r\\n') + 4
  const length = Number(/content-length: (\\d+)/i.exec(text)?.[1] ?? Infinity)
  if (start < 4 || text.length - start < length) return
  lengths.push(length)
  text = ''
  if (lengths.length === 2) return socket.end()
  ask()
  setTimeout(() => { Atomics.store(asked, 0, 1); Atomics.notify(asked, 0) }, 20)
})
socket.on('error', (error) => lengths.push(error.code))
socket.on('close', () => parentPort.postMessage(lengths))
socket.on('secureConnect', ask)
`

export interface Twice {
  readonly port: number
  readonly ca: string
  readonly path: string
  readonly body: string
  /** An Int32Array's: not 0, and whoever waits for it told, when the second request has gone out. */
  readonly flag: SharedArrayBuffer
}

/** The lengths of both answers; what broke the connection off instead. */
export const askTwice = async (twice: Twice): Promise<readonly unknown[]> => {
  const asker = new Worker(ASKER, { eval: true, workerData: twice })
  const heard: unknown = await new Promise((resolve, reject) => {
    asker.once('message', resolve)
    asker.once('error', reject)
  })
  return Array.isArray(heard) ? heard : []
}
