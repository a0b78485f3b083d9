// Two webhooks behind one name, as an API server has them behind a Service: their certificates rotate, and one after the other
// gives way to another process. Who is told to end is asked until the API server hears of it; a certificate that is trusted
// anew is, too, a moment later.

import { Agent } from 'node:https'
import { setTimeout as after } from 'node:timers/promises'
import { stringAt } from '../../../shared/json.ts'
import { knownBundle } from '../../support/known-bundle.ts'
import type { Running } from '../../support/running.ts'
import { askOne, startCluster, startWebhook, type Asking } from './reviewing.ts'

/** A leaf is renewed after 10 s, an authority after 30 s. */
const LIVES = ['--leaf-lifetime=15s', '--ca-lifetime=45s', '--drain-delay=2']
/** An API server hears so much later of a changed configuration, and of who has left. */
const LAG_MS = 100
/** One review in so many comes on a connection of its own, which shows the certificate of now. */
const OWN_CONNECTION = 7

export interface Rolling extends Asking {
  /** Another process takes the place of the one that has been there longest; resolves when that has gone. */
  readonly roll: () => Promise<void>
  /** How many there have been so far. */
  readonly counts: () => { readonly leaves: number; readonly authorities: number }
  readonly stop: () => Promise<void>
}

/** Connections that are kept to one process, by whom an API server trusted when they were opened. */
class Kept {
  readonly port: string
  private readonly agents: Agent[] = []
  private ca: string | undefined

  constructor({ ready }: Running) {
    this.port = ready
  }

  agent(ca: string): Agent {
    const last = this.agents.at(-1)
    if (last && this.ca === ca) return last
    const agent = new Agent({ keepAlive: true })
    this.agents.push(agent)
    this.ca = ca
    return agent
  }

  close(): void {
    for (const agent of this.agents) agent.destroy()
  }
}

interface Replica {
  readonly running: Running
  readonly kept: Kept
}

/** On any core: replicas are on nodes of their own. */
export const startRolling = async (folder: string): Promise<Rolling> => {
  const { kube, kubeconfig } = await startCluster(folder)
  const start = async (): Promise<Replica> => {
    const running = await startWebhook({ kubeconfig, more: LIVES })
    return { running, kept: new Kept(running) }
  }
  const end = async ({ running, kept }: Replica): Promise<void> => {
    await running.stop()
    kept.close()
  }
  let replicas = [await start(), await start()]
  const known = knownBundle(kube, LAG_MS)
  const [leaves, authorities] = [new Set<string>(), new Set<string>()]
  let asked = 0
  const ask: Rolling['ask'] = (path, body) => {
    const replica = replicas[asked % replicas.length]
    if (!replica) throw new Error('nobody is there')
    authorities.add(stringAt(kube.secret(), 'data', 'ca.crt') ?? '')
    const isOwn = asked % OWN_CONNECTION === 0
    asked += 1
    const ca = known()
    const { port } = replica.kept
    const shown = (fingerprint: string): void => void leaves.add(fingerprint)
    const agent = isOwn ? false : replica.kept.agent(ca)
    return askOne({ port, ca, agent, ...(isOwn ? { shown } : {}) }, path, body)
  }
  return {
    ask,
    counts: () => ({ leaves: leaves.size, authorities: authorities.size }),
    roll: async () => {
      replicas = [...replicas, await start()]
      const [leaving, ...others] = replicas
      if (!leaving) return
      const ended = end(leaving)
      await after(LAG_MS)
      replicas = others
      await ended
    },
    stop: async () => {
      await Promise.all(replicas.map(end))
      await kube.close()
    },
  }
}
