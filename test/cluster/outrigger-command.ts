// `outrigger COMMAND` against a cluster, as a user with a kubeconfig runs it.

import { execFile } from 'node:child_process'

export interface EndedCommand {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export const outriggerCommand = (
  kubeconfig: string,
  ...words: readonly string[]
): Promise<EndedCommand> =>
  new Promise((resolve) => {
    const env = { ...process.env, KUBECONFIG: kubeconfig }
    execFile(process.execPath, ['cli/main.ts', ...words], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      resolve({ code: typeof code === 'number' ? code : undefined, stdout, stderr })
    })
  })
