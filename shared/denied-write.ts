// What a program says when it cannot write, in the words of several languages: the path, for the fault that
// tells of its end. Most of what is injected gets a read-only root file system, which such servers have never met. Pure.

import { oneLine } from './one-line.ts'

const READ_ONLY = /\bEROFS\b|read-only file ?system|ReadOnlyFilesystem/i
// A folder that Node is to make with those above it: of a read-only file system it says that, too (libuv looks for the
// folder, and tells what it finds).
const NOT_MADE = /\bENOENT\b.*, mkdir '/
// Also what is read, run or listened on is denied so: the line counts with a path alone.
const DENIED = /\bEACCES\b|permission denied|AccessDeniedException/i
const IS_NO_FILE = /\b(?:listen|connect|bind)\b/i

// A path may be this long in a fault.
const MAX_PATH = 256
const QUOTED = /['"`‘](\/[^'"`’]+)['"`’]/
const BARE = /(?:^|[\s(=])(\/[^\s'"`():,;]+)/g

/** The path of a line: a quoted one, else the last, since a program's own comes first. */
const pathIn = (line: string): string | undefined =>
  QUOTED.exec(line)?.[1] ?? [...line.matchAll(BARE)].at(-1)?.[1]

/** npm says its error in one line and the path in another. */
const npmPath = (lines: readonly string[]): string | undefined =>
  lines.flatMap((line) => /^npm (?:ERR!|error) path (\/\S+)/.exec(line)?.[1] ?? []).at(-1)

const shown = (path: string): string => oneLine(path).slice(0, MAX_PATH)

const READ_ONLY_ADVICE =
  'the root file system is read-only: name the directory in outrigger.dev/writable-paths'
const NOT_MADE_ADVICE =
  'what is above it is missing, or read-only, of which Node says the same: name the directory in outrigger.dev/writable-paths'
const DENIED_ADVICE =
  'the server runs as another user than it may expect: name the directory in outrigger.dev/writable-paths, or that user in outrigger.dev/run-as-user'

/** Without a blank, a quote or a `=`: neither a sentence nor a query. */
const PLAIN = /^[\w./@+-]+$/

/** Whether a path looks like one and nothing else, for who tells it to others than those who may read what the server wrote. */
export const isPlain = (path: string): boolean => PLAIN.test(path)

/** Why a server that wrote this could not go on; undefined where it says nothing of files that it may not write. A path that may
 * not be named is told without its name. */
export const deniedWrite = (
  stderr: string,
  mayName: (path: string) => boolean = () => true,
): string | undefined => {
  const named = (path: string, otherwise: string): string =>
    mayName(path) ? shown(path) : otherwise
  const lines = stderr.split('\n')
  const said = lines.filter((line) => READ_ONLY.test(line))
  if (said.length > 0) {
    const path = said.flatMap((line) => pathIn(line) ?? []).at(-1) ?? npmPath(lines)
    const what = path === undefined ? '' : ` ${named(path, 'a file')}`
    return `it could not write${what}: ${READ_ONLY_ADVICE}`
  }
  const notMade = lines.filter((line) => NOT_MADE.test(line)).flatMap((line) => pathIn(line) ?? [])
  const folder = notMade.at(-1)
  if (folder !== undefined)
    return `it could not make ${named(folder, 'a directory')}: ${NOT_MADE_ADVICE}`
  const denied = lines.filter((line) => DENIED.test(line) && !IS_NO_FILE.test(line))
  const path = denied.flatMap((line) => pathIn(line) ?? []).at(-1)
  return path === undefined ? undefined : `it was denied ${named(path, 'a file')}: ${DENIED_ADVICE}`
}
