// Removes a folder that processes on their way out still remove things from: a shim's monitors, after it was killed.

import { existsSync, rmSync } from 'node:fs'
import { codeOf } from '../../shared/error-code.ts'
import { until } from './waiting.ts'

const isRemoved = (folder: string): boolean => {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY') throw error
  }
  return !existsSync(folder)
}

export const removeFolder = (folder: string): Promise<true> =>
  until(() => isRemoved(folder), `${folder} is removed`)
