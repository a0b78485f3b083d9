// An abort signal as a promise, to be raced with what else may end a command.

export const aborted = (signal: AbortSignal): Promise<'signal'> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('signal')
    else signal.addEventListener('abort', () => resolve('signal'), { once: true })
  })
