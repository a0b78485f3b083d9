// The cluster that a command is to speak to, as kubectl finds it.

import { codeOf } from '../../shared/error-code.ts'
import { fail, type Result } from '../../shared/result.ts'
import { fileWords } from '../output/system-words.ts'
import type { Io } from './command.ts'

const NO_KUBECONFIG =
  'it is not what kubectl reads: a YAML document of kind Config with clusters, users and contexts'

/** Connects; the error names the kubeconfig and says what is wrong with it. */
export const clusterBy = <T>(
  connect: () => Result<T, string>,
  { environment }: Pick<Io, 'environment'>,
): Result<T, string> => {
  const kubeconfig = `the kubeconfig ${environment['KUBECONFIG'] ?? '~/.kube/config'}`
  try {
    const connected = connect()
    return connected.ok ? connected : fail(`${kubeconfig}: ${connected.error}`)
  } catch (error) {
    return fail(`${kubeconfig}: ${codeOf(error) === '' ? NO_KUBECONFIG : fileWords(error)}`)
  }
}
