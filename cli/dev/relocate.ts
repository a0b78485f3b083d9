// Paths of a container as paths of this machine, in a word of a command or the value of a variable. Pure.

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

export type Relocate = (text: string) => string

/** Takes paths by what stands for them; of two the longer holds. A path within another, or within a URL, is left alone. */
export const relocation = (moves: ReadonlyMap<string, string>): Relocate => {
  const paths = [...moves.keys()].filter((path) => path !== '').sort((a, b) => b.length - a.length)
  if (paths.length === 0) return (text) => text
  const pattern = new RegExp(`(?<![\\w./-])(?:${paths.map(escaped).join('|')})(?![\\w.-])`, 'g')
  return (text) => text.replaceAll(pattern, (path) => moves.get(path) ?? path)
}
