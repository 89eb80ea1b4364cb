const nominalMs = 20
const steps = 12_000_000

/**
 * How many times slower this processor is at the moment than the one that the limits of the tests were set on, at least 1: what other processes and other
 * machines on the same hardware take. A law of time (`ends within a second`) holds for the processor's time; a shared machine may lose ten times of it.
 */
export function slowness(): number {
  const start = performance.now()
  let bits = 1
  for (let i = 0; i < steps; i++) bits = (Math.imul(bits, 1_664_525) + 1_013_904_223) | 0
  const tookMs = performance.now() - start
  // Read, so that the loop cannot be dropped.
  return bits === 0 ? 1 : Math.max(1, tookMs / nominalMs)
}
