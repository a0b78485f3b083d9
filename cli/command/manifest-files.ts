// The manifests that a list of files and directories stands for: what kubectl takes for one in a
// directory, and in those below it.

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fileWords } from '../output/system-words.ts'

const MANIFEST = /\.(?:json|ya?ml)$/
const MAX_FILES = 10_000

const isHidden = (path: string): boolean =>
  path.split('/').some((part) => part.startsWith('.') || part === 'node_modules')

const filesIn = async (directory: string): Promise<readonly string[]> => {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  return names
    .filter((entry) => entry.isFile() && MANIFEST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isHidden(path.slice(directory.length)))
    .sort()
}

const filesAt = async (path: string): Promise<readonly string[]> =>
  path !== '-' && (await stat(path)).isDirectory() ? filesIn(path) : [path]

/** The files, those of a directory in order; links to directories are not followed. */
export const manifestFiles = async (
  paths: readonly string[],
): Promise<Result<readonly string[], string>> => {
  const files: string[] = []
  for (const path of paths) {
    try {
      const found = await filesAt(path)
      if (found.length === 0) return fail(`${path}: holds no .yaml, .yml or .json`)
      files.push(...found)
    } catch (error) {
      return fail(`${path}: ${fileWords(error)}`)
    }
  }
  return files.length <= MAX_FILES
    ? ok(files)
    : fail(`${files.length} files are more than ${MAX_FILES}; take them in several parts`)
}
