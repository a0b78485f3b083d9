// Clients whose machine is lost, between two network namespaces: they are found by what they never acknowledge, and
// whoever lives is left alone, be it slow or silent.

import { spawn, type ChildProcess } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { PodNetwork, POD_IPV4, POD_IPV6 } from '../../support/pod-network.ts'
import { IS_ROOT } from '../../support/users.ts'
import { until } from '../../support/waiting.ts'

const SERVER = fileURLToPath(new URL('../../fixtures/dead-peers.ts', import.meta.url))
/** Three tries take less than two seconds. */
const LOOKS = 40

// One reads all that comes; the other has stopped reading, as a program does that is held up.
const CLIENTS = `const { connect } = require('node:net')
for (const name of ['reader', 'mute']) {
  const socket = connect(8001, process.argv[1])
  socket.write(name)
  if (name === 'reader') socket.resume()
  else socket.pause()
}`

const describeAsRoot = IS_ROOT ? describe : describe.skip

describeAsRoot('of clients (takes root)', () => {
  let network: PodNetwork
  let programs: ChildProcess[]
  let said: string[]

  beforeEach(() => {
    network = new PodNetwork('dead')
    programs = []
    said = []
  })
  afterEach(() => {
    for (const program of programs) program.kill('SIGKILL')
    network.close()
  })

  const run = (enter: readonly string[], args: readonly string[]): ChildProcess => {
    const [command = '', ...words] = enter
    const program = spawn(command, [...words, process.execPath, ...args], { stdio: 'pipe' })
    programs.push(program)
    return program
  }
  const heard = (line: string, times = 1): Promise<unknown> =>
    until(
      () => said.filter((one) => one === line).length >= times,
      `the server has said "${line}" ${times} times; it said ${said.slice(-5).join(', ')}`,
    )

  test.each([
    ['IPv4', POD_IPV4],
    ['IPv6', POD_IPV6],
  ])(
    'over %s those that live stay, and those whose way is lost are cut off',
    async (_name, address) => {
      let rest = ''
      run(network.enterPod, [SERVER])
        .stdout?.setEncoding('utf8')
        .on('data', (text: string) => {
          const lines = (rest + text).split('\n')
          rest = lines.pop() ?? ''
          said.push(...lines)
        })
      await heard('listens')
      run(network.enterOther, ['-e', CLIENTS, address])
      await heard('reader is there')
      await heard('mute is there')
      said.splice(0)
      await heard('looked', LOOKS)
      expect(new Set(said)).toEqual(new Set(['looked']))
      network.cut()
      await heard('reader is cut off')
      await heard('mute is cut off')
    },
  )
})
