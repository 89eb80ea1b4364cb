/** When problems are told: a while after the last change of a file, at once for others, each time for the newest text. */
export interface Diagnosing {
  /** Tells about a file after this long without another call. */
  schedule(path: string, delayMs: number): void
  forget(path: string): void
  close(): void
}

export function makeDiagnosing(tell: (path: string) => void): Diagnosing {
  const timers = new Map<string, NodeJS.Timeout>()
  const forget = (path: string) => {
    clearTimeout(timers.get(path))
    timers.delete(path)
  }
  return {
    schedule(path, delayMs) {
      forget(path)
      timers.set(
        path,
        setTimeout(() => {
          timers.delete(path)
          tell(path)
        }, delayMs),
      )
    },
    forget,
    close() {
      for (const path of [...timers.keys()]) forget(path)
    },
  }
}
