// A temporary directory of its own for a run of the tests, which fails where something is left in it: by whatever runs,
// the programs under test too. (jest loads this outside its transform: no TypeScript.)

import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What Node and npm keep there for whoever comes next. */
const KEPT = new Set(['node-compile-cache'])

export default function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'ot-'))
  // As the system's own is: other users of the tests' make files in it.
  chmodSync(folder, 0o1777)
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  globalThis.takeDownFolder = () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    const left = readdirSync(folder).filter((name) => !KEPT.has(name))
    rmSync(folder, { recursive: true, force: true })
    if (left.length > 0)
      throw new Error(`the tests have left in the temporary directory: ${left.join(', ')}`)
  }
}
