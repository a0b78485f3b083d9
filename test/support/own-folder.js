// A temporary directory of its own for a run of the tests, which fails where something is left in it: by whatever runs,
// the programs under test too. (jest loads this outside its transform: no TypeScript.)

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What Node and npm keep there for whoever comes next. */
const COMPILED = 'node-compile-cache'
const KEPT = new Set([COMPILED])

export default function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'ot-'))
  // As the system's own is: other users of the tests' make files in it.
  chmodSync(folder, 0o1777)
  const before = { TMPDIR: process.env.TMPDIR, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }
  // Hundreds of programs are started from the same TypeScript: the first of a run takes the types off, for all.
  Object.assign(process.env, { TMPDIR: folder, NODE_COMPILE_CACHE: join(folder, COMPILED) })
  globalThis.takeDownFolder = () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    const left = readdirSync(folder).filter((name) => !KEPT.has(name))
    rmSync(folder, { recursive: true, force: true })
    if (left.length > 0)
      throw new Error(`the tests have left in the temporary directory: ${left.join(', ')}`)
  }
}
