// The addresses of both replicas on this machine, by that of either. Pure.

const LAST = ['1', '2'] as const

export const siblings = (host: string): readonly [string, string] => {
  const network = host.slice(0, host.lastIndexOf('.'))
  return [`${network}.${LAST[0]}`, `${network}.${LAST[1]}`]
}
