// Whoever runs us by `npx outrigger …` holds npx's process. What npx passes on of a signal reaches the shell between
// it and us, which dies of it and tells nobody: so we look after that shell. Whoever wants us to outlive a session
// has `nohup` or `setsid` before npx, whose shell then lives as long as we do, or runs us without npx.

/** Whether this process is what npx was asked for, and not something that its command has started. */
export const isRunByNpx = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment['npm_lifecycle_event'] === 'npx' &&
  /\boutrigger\b/.test(environment['npm_lifecycle_script'] ?? '')

const LOOK_MS = 250

/** Calls back once this process has another parent: its own has ended. */
export const whenOrphaned = (process: { readonly ppid: number }, callback: () => void): void => {
  const { ppid } = process
  const timer = setInterval(() => {
    if (process.ppid === ppid) return
    clearInterval(timer)
    callback()
  }, LOOK_MS)
  timer.unref()
}
