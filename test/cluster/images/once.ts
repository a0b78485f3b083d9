// What is made once and kept in the cache: whole, or not there.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes a directory in one step, unless it is there. */
export const once = async (
  directory: string,
  fill: (aside: string) => Promise<void>,
): Promise<string> => {
  if (existsSync(directory)) return directory
  mkdirSync(dirname(directory), { recursive: true })
  const aside = mkdtempSync(`${directory}.`)
  try {
    chmodSync(aside, 0o755)
    await fill(aside)
    renameSync(aside, directory)
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
  return directory
}
