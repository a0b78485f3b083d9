// Credentials as docker keeps them: its configuration file, and the helpers that it names, which
// are programs of this machine. What a helper prints never reaches a message.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fileWords } from '../output/system-words.ts'
import { isMissingFile } from '../../shared/missing-file.ts'
import {
  credentialSource,
  NO_DOCKER_CONFIG,
  readDockerConfig,
  readHelperAnswer,
  type Credential,
  type DockerConfig,
} from '../../webhook/images/docker-config.ts'
import { ImageError } from '../../webhook/images/image-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

const HELPER_MS = 30_000
const MAX_ANSWER_BYTES = 256 * 1024
/** What every helper says of a server that it has nothing for. */
const NOT_FOUND = 'credentials not found in native keychain'

const askHelper = (
  helper: string,
  server: string,
  env: Environment,
): Promise<Credential | undefined> =>
  new Promise((resolve, reject) => {
    const program = `docker-credential-${helper}`
    const options = { timeout: HELPER_MS, maxBuffer: MAX_ANSWER_BYTES, env: { ...env } }
    const child = execFile(program, ['get'], options, (error, stdout) => {
      const answer = error ? undefined : readHelperAnswer(stdout)
      if (answer) resolve(answer)
      else if (stdout.includes(NOT_FOUND)) resolve(undefined)
      else {
        const why = isMissingFile(error) ? 'is not on the PATH' : 'gives no credential'
        const message = `${program}, which the docker configuration names for ${server}, ${why}; \`echo ${server} | ${program} get\` shows what it does`
        reject(new ImageError(message))
      }
    })
    child.stdin?.on('error', () => {
      // A helper that has gone tells by its exit.
    })
    child.stdin?.end(`${server}\n`)
  })

const readFileIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}

const configFile = ({ DOCKER_CONFIG, HOME = '' }: Environment): string =>
  join(DOCKER_CONFIG ?? join(HOME, '.docker'), 'config.json')

const readConfig = async (file: string): Promise<Result<DockerConfig, string>> => {
  try {
    const text = await readFileIfThere(file)
    if (text === undefined) return ok(NO_DOCKER_CONFIG)
    const config = readDockerConfig(text)
    return config.ok ? config : fail(`${file}: ${config.error}`)
  } catch (error) {
    return fail(`${file}: ${fileWords(error)}`)
  }
}

/** Finds the credential of a registry by its host, each time anew. */
export const dockerCredentials = async (
  environment: Environment,
): Promise<Result<(host: string) => Promise<Credential | undefined>, string>> => {
  const config = await readConfig(configFile(environment))
  if (!config.ok) return config
  return ok(async (host) => {
    const source = credentialSource(config.value, host)
    if (source.from === 'file') return source.credential
    return source.from === 'helper'
      ? askHelper(source.helper, source.server, environment)
      : undefined
  })
}
