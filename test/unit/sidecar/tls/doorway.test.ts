// What a doorway shows is made ready when it is another than before, and not each time that somebody says it.

import { expect, jest, test } from '@jest/globals'
import { createServer } from 'node:http'
import { Server } from 'node:tls'
import { readKeyPair, type KeyPair } from '../../../../shared/key-pair.ts'
import { Doorway } from '../../../../sidecar/tls/doorway.ts'
import { issue } from '../../../support/certificates.ts'

const aPair = (): KeyPair => {
  const files = { certFile: '/tls.crt', keyFile: '/tls.key' }
  const pair = readKeyPair(issue({ commonName: 'replicas' }), files, Date.now())
  if (!pair.ok) throw new Error(pair.error.join())
  return pair.value
}

test('the same pair by the same authorities is made ready once', () => {
  const [first, second] = [aPair(), aPair()]
  const clients = { authorities: first.cert, isKnown: () => true, areAlone: true }
  const doorway = new Doorway({
    http: createServer(),
    pair: first,
    clients,
    onHandshake: () => undefined,
    onName: () => undefined,
    onFreed: () => undefined,
  })
  const made = jest.spyOn(Server.prototype, 'setSecureContext')
  try {
    doorway.show(first)
    expect(made).not.toHaveBeenCalled()
    clients.authorities = `${first.cert}\n${second.cert}`
    doorway.show(first)
    doorway.show(first)
    expect(made).toHaveBeenCalledTimes(1)
    doorway.show(second)
    doorway.show(second)
    expect(made).toHaveBeenCalledTimes(2)
    expect(made).toHaveBeenLastCalledWith(expect.objectContaining({ cert: second.cert }))
  } finally {
    made.mockRestore()
  }
})
