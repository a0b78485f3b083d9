// The end of what sends to a collector.

/** Waits for it, at most for so long. That it fails is no news: what was lost is counted and logged where it was, or Prometheus has it. */
export const settled = async (work: Promise<void>, patienceMs: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs)
  })
  await Promise.race([work.catch(() => undefined), late])
  clearTimeout(timer)
}
