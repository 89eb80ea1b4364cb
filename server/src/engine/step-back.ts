import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'

const BEHIND = 5

/**
 * Lets the rest of the process go first: what is typed is answered while all cores compute. Linux knows a thread's priority, and threads that this one
 * starts from now on (ONNX Runtime's, the database's) have it too; elsewhere nothing happens.
 */
export function stepBack(): void {
  try {
    const thread = /\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))
    if (thread) setPriority(Number(thread[1]), BEHIND)
  } catch {
    // No Linux, or a container that forbids it.
  }
}
