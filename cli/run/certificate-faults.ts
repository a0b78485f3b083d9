// What is wrong with the certificate that `run` is to show, by the flag that names its file.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { tlsFaults } from '../../sidecar/tls/start-tls.ts'

type Files = NonNullable<SidecarConfig['tls']>

/** A fault of the key begins with the key, or with its file. */
const flagOf = (fault: string, { keyFile }: Files): string =>
  fault.startsWith('the key ') || fault.startsWith(`${keyFile}: `) ? '--tls-key' : '--tls-cert'

/** None where it can be shown, or where there is to be none. */
export const certificateFaults = async (
  files: Files | undefined,
  isByFlags: boolean,
): Promise<readonly string[]> => {
  const faults = files === undefined ? [] : await tlsFaults(files, () => Date.now())
  return files === undefined || !isByFlags
    ? faults
    : faults.map((fault) => `${flagOf(fault, files)}: ${fault}`)
}
