// A server in memory under a tool lock.

import { readLock } from '../../shared/lock/lock.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import type { AskTerms } from '../../sidecar/conversation/vetting.ts'
import { Findings, type Finding } from '../../sidecar/lock/findings.ts'
import type { LockedProcess } from '../../sidecar/lock/locked-process.ts'
import { ToolLock } from '../../sidecar/lock/tool-lock.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import { askedServer, type Answers, type AskedServer } from './asked-server.ts'
import { keptLog } from './kept-log.ts'
import { aMessage } from './messages.ts'

export interface LockedServer {
  readonly server: AskedServer
  lockText: string
  readonly process: LockedProcess
  readonly findings: Pick<Finding, 'kind' | 'action'>[]
  /** What was logged. */
  readonly lines: string[]
  /** Why a request is refused. */
  check(method: string, params: object, terms?: AskTerms): Promise<Fault | undefined>
  /** What a client hears of an answer. */
  hears(method: string, result: object): string
}

const lockOf = (text: string) => {
  const read = readLock(text)
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  return read.value
}

export const lockedServer = (lockText: string, answers: Answers): LockedServer => {
  const server = askedServer(answers)
  const { log, lines } = keptLog()
  const found: Pick<Finding, 'kind' | 'action'>[] = []
  const findings = new Findings({ log, count: (one) => void found.push(one) })
  let lock = { text: lockText, read: lockOf(lockText) }
  const current = () => {
    if (lock.text !== locked.lockText) {
      lock = { text: locked.lockText, read: lockOf(locked.lockText) }
      findings.forget()
    }
    return lock.read
  }
  const process = new ToolLock({ lock: current, findings, now: server.now }).over(server.channel)
  const locked: LockedServer = {
    server,
    lockText,
    findings: found,
    lines,
    process,
    check: (method, params, terms) =>
      server.settled((request) => process.check(request, terms), { method, params }),
    hears: (method, result) => {
      let heard = ''
      const caller = process.hears(
        {
          answer: (text) => {
            heard = Buffer.from(text, 'latin1').toString()
          },
          notice: () => true,
          fault: ({ message }) => {
            heard = message
          },
        },
        method,
      )
      const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result })
      const message = aMessage(text)
      if (message.kind === 'response') caller.answer(Buffer.from(text).toString('latin1'), message)
      return heard
    },
  }
  return locked
}
