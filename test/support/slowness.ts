const usualMs = 35
const slowest = 10
const steps = 12_000_000

/**
 * How many times slower this processor is at the moment than the one that the limits of the tests were set on, from 1 to 10: what other processes and other
 * machines on the same hardware take. A law of time (`ends within a second`) holds for the processor's time; a shared machine may take nine tenths of it away.
 */
export function slowness(): number {
  const start = performance.now()
  let bits = 1
  for (let i = 0; i < steps; i++) bits = (Math.imul(bits, 1_664_525) + 1_013_904_223) | 0
  const tookMs = performance.now() - start
  // Read, so that the loop cannot be dropped.
  return bits === 0 ? 1 : Math.min(slowest, Math.max(1, tookMs / usualMs))
}
