// A folder of audit files as sidecars leave it, made by chance: instances one after the other, some ended in order and some
// killed in the middle of a line, in files that rotate; with the checkpoints that left it meanwhile.

import { generateKeyPairSync } from 'node:crypto'
import { Chain, digest, membersOf, type Link } from '../../shared/audit/chain.ts'
import { checkpointLine, readCheckpoint, type Checkpoint } from '../../shared/audit/checkpoint.ts'
import type { AuditEvent, Position } from '../../shared/audit/record.ts'
import type { Chance } from './chance.ts'

export const KEYS = generateKeyPairSync('ed25519')

/** A line, and what it is. */
export interface MadeLine {
  readonly text: string
  /** Undefined of one that was torn. */
  readonly link: Link | undefined
}

export interface MadeFolder {
  /** Oldest first. */
  readonly files: readonly (readonly MadeLine[])[]
  readonly checkpoints: readonly Checkpoint[]
}

const CONFIGURATION = digest('a configuration')
const START_MS = Date.UTC(2026, 0, 1)

const beginning = (before?: Link, torn?: string): AuditEvent => ({
  event: 'begin',
  ...(before && {
    before: {
      ...before,
      ...(torn !== undefined && { torn: { bytes: torn.length, hash: digest(torn) } }),
    },
  }),
  configuration: CONFIGURATION,
  attempts: false,
  onFailure: 'refuse',
})

const anEvent = (chance: Chance): AuditEvent => ({
  event: 'session-end',
  caller: { by: 'token', issuer: 'https://id.example', subject: `user-${chance(9)}` },
  session: `s${chance(100)}`,
  reason: 'client',
})

/** What was written so far. */
class Folder {
  readonly files: MadeLine[][] = [[]]
  readonly checkpoints: Checkpoint[] = []
  private readonly chance: Chance
  private timeMs = START_MS
  chain: Chain
  private number = 0

  constructor(chance: Chance) {
    this.chance = chance
    this.chain = this.instance('')
  }

  instance(prev: string): Chain {
    const instance = `i${this.number++}-${this.chance(1_000_000)}`
    return new Chain({ instance, server: 'deployment-notes', prev })
  }

  /** Instances' clocks do not all go forward. */
  add(event: AuditEvent): void {
    this.timeMs += this.chance(5000) - 1000
    const text = this.chain.line(membersOf(event), this.timeMs).slice(0, -1)
    this.files.at(-1)?.push({ text, link: this.chain.last })
  }

  checkpoint(): void {
    const at = { server: 'deployment-notes', timeMs: this.timeMs }
    const read = readCheckpoint(checkpointLine(this.chain.last, at, KEYS.privateKey))
    if (read) this.checkpoints.push(read)
  }

  rotate(oldest: Position): void {
    this.files.push([])
    this.add({ event: 'rotation', file: `audit.jsonl.${this.files.length}`, oldest })
  }

  /** Keeps some of the newest files, and says so. */
  prune(): void {
    this.files.splice(0, this.chance(this.files.length))
    this.rotate(firstOf(this.files))
  }

  /** The process is killed when the full file has its number, and the next is empty. */
  rotateKilled(): void {
    this.files.push([])
    const before = this.chain.last
    this.chain = this.instance(before.hash)
    this.add(beginning(before))
  }

  /** The next instance, behind one that ended in order or was killed, perhaps in the middle of a line. */
  restart(): void {
    const { chance, chain } = this
    const before = chain.last
    const file = this.files.at(-1)
    let torn: string | undefined
    const how = chance(4)
    if (how > 1) {
      this.add({ event: 'end' })
      this.checkpoint()
    } else if (how === 1) {
      // The chain of the one that was killed is never used again.
      const whole = chain.line(membersOf(anEvent(chance)), this.timeMs)
      torn = whole.slice(0, 1 + chance(whole.length - 2))
      file?.push({ text: torn, link: undefined })
    }
    const last = torn === undefined ? chain.last : before
    this.chain = this.instance(last.hash)
    this.add(beginning(last, torn))
  }
}

const firstOf = (files: readonly (readonly MadeLine[])[]): Position => {
  const [link] = files.flatMap((lines) => lines.flatMap((line) => line.link ?? []))
  if (!link) throw new Error('a folder has records')
  return { instance: link.instance, seq: link.seq }
}

/** It ends in order, with a checkpoint of its last record. `isPruned`: the oldest files are taken away meanwhile. */
export const makeFolder = (chance: Chance, isPruned = false): MadeFolder => {
  const folder = new Folder(chance)
  folder.add(beginning())
  for (let step = 20 + chance(40); step > 0; step--) {
    const what = chance(20)
    if (what === 0) folder.restart()
    else if (what === 1) folder.rotate(firstOf(folder.files))
    else if (what === 2) folder.checkpoint()
    else if (what === 3 && isPruned) folder.prune()
    else if (what === 4 && isPruned) folder.rotateKilled()
    else folder.add(anEvent(chance))
  }
  folder.add({ event: 'end' })
  folder.checkpoint()
  return folder
}
