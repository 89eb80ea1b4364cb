/** Says whether the caller has lost interest; every long method takes one and looks at it through `breathe`. */
export interface CancelToken {
  readonly cancelled: boolean
}

/** What `breathe` throws; deliberately not an Error, so that no handler of failures takes a cancelled run for one. */
export class Cancelled {
  readonly kind = 'cancelled'
}

export const neverCancelled: CancelToken = { cancelled: false }

const intervalMs = 50
const lastYield = new WeakMap<CancelToken, number>()

/** Yields to the event loop when this token has not yielded for 50 ms; throws `Cancelled` once the token says so. Cheap in between. */
export async function breathe(token: CancelToken = neverCancelled): Promise<void> {
  if (token.cancelled) throw new Cancelled()
  const now = performance.now()
  const last = lastYield.get(token)
  if (last === undefined) lastYield.set(token, now)
  if (last === undefined || now - last < intervalMs) return
  // A macrotask, not a microtask: only then are timers, sockets and the message that cancels served.
  await new Promise<void>((resume) => setTimeout(resume, 0))
  lastYield.set(token, performance.now())
  if (token.cancelled) throw new Cancelled()
}
