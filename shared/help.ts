// Whether a command line asks what the program is, which is never a mistake, whatever else stands there.

/** Also behind other flags; what stands after `--` is somebody else's. */
export const isHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return args
    .slice(0, end === -1 ? args.length : end)
    .some((arg) => arg === '--help' || arg === '-h')
}
