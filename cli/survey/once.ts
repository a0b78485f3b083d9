// Work by a name that several want done, and that is done for the first of them alone. Pure.

/** Works out what is asked for, and not again. */
export const once = <T>(work: (name: string) => T): ((name: string) => T) => {
  const known = new Map<string, T>()
  return (name) => {
    const found = known.get(name) ?? work(name)
    known.set(name, found)
    return found
  }
}
