// What is wrong with where `run` is to keep audit records: the sidecar would tell it as a failure, and it is a wrong word.

import { lstat, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf } from '../../shared/error-code.ts'
import { messageOf } from '../../shared/message.ts'
import type { AuditConfig } from '../../shared/sidecar-config.ts'
import { findBefore } from '../../sidecar/audit/audit-folder.ts'
import { readCheckpointKey } from '../../sidecar/audit/checkpoint-key.ts'
import { contentBy } from '../../sidecar/audit/content/content.ts'
import { NO_FILE } from '../../sidecar/audit/file-sink.ts'
import { folderWords } from '../output/system-words.ts'

const folderFault = async (folder: string): Promise<string | undefined> => {
  const found = await stat(folder).catch((error: unknown) => `${folder}: ${folderWords(error)}`)
  return typeof found === 'string' ? found : undefined
}

const fileFault = async (path: string): Promise<string | undefined> => {
  try {
    const about = await lstat(path)
    if (about.isCharacterDevice()) return undefined
    if (!about.isFile()) return NO_FILE
    await findBefore(path)
    return undefined
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? folderFault(dirname(path)) : messageOf(error)
  }
}

/** None where records can be kept, or where none are. */
export const auditFaults = async (audit: AuditConfig | undefined): Promise<readonly string[]> => {
  if (!audit) return []
  const { file, checkpointKey } = audit
  const why = file === undefined ? undefined : await fileFault(file)
  const read = await Promise.allSettled([readCheckpointKey(checkpointKey), contentBy(audit)])
  return [
    ...(why === undefined ? [] : [`audit: the file ${file} cannot be used: ${why}`]),
    ...read.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : [])),
  ]
}
