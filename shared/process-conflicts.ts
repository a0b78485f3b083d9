// What cannot hold together of the settings that say whose a server's processes are. Pure.

/** The settings that say so. */
interface Serving {
  readonly 'process-model': string
  readonly transport: string
  readonly 'caller-environment'?: readonly string[]
  readonly 'token-exchange'?: readonly string[]
  readonly 'spare-processes'?: number
  readonly 'egress-mode': string
}

const OF_CALLERS = ['caller-environment', 'token-exchange'] as const
const KEYS = [...OF_CALLERS, 'spare-processes'] as const

export const processConflicts = (settings: Serving): readonly string[] => {
  const isShared = settings['process-model'] === 'shared'
  const isAlone = isShared || /^(?:http|sse)$/.test(settings.transport)
  const other = isShared ? 'process-model: shared' : 'a server over HTTP'
  const isSpare = settings['spare-processes'] !== undefined
  return [
    ...KEYS.filter((key) => isAlone && settings[key] !== undefined).map(
      (key) => `${key}: with ${other} no process is one caller's; leave one of the two out`,
    ),
    ...OF_CALLERS.filter((key) => isSpare && settings[key] !== undefined).map(
      (key) =>
        `spare-processes: with ${key} a process is its caller’s from the start; leave one of the two out`,
    ),
    ...(isSpare && !isAlone && settings['egress-mode'] !== 'enforce'
      ? [
          'spare-processes: only egress-mode: enforce keeps a process that is nobody’s from reaching anything; set that, or leave it out',
        ]
      : []),
  ]
}
