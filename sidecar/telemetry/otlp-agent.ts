// One agent for good for an exporter of OTLP over HTTP, and what ends all that is under way by it: the exporter ends nothing itself,
// and an answer that drips would hold one of its few places for ever.

import type { Agent } from 'node:http'

interface WithFactory {
  readonly agentFactory: (protocol: string) => Agent | Promise<Agent>
}

export const withAgent = <Options extends WithFactory>(
  options: Options,
): { readonly options: Options; readonly endAll: () => void } => {
  let agent: Promise<Agent> | undefined
  const agentFactory = (protocol: string): Promise<Agent> =>
    (agent ??= Promise.resolve(options.agentFactory(protocol)))
  return {
    options: { ...options, agentFactory },
    endAll: () => void agent?.then((own) => own.destroy()),
  }
}
