// Leaves the shim where the server's container runs it from: a new file, then a rename, since a running
// binary cannot be written to.

import { chmodSync, copyFileSync, renameSync } from 'node:fs'

export const copyShim = (from: string, dir: string): void => {
  const temporary = `${dir}/.shim-new`
  copyFileSync(from, temporary)
  chmodSync(temporary, 0o555)
  renameSync(temporary, `${dir}/shim`)
}
