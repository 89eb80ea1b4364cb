/**
 * What TensorFlow reads from the process's own environment. A worker thread has a copy that native code does not see, so this is set in the thread
 * that starts workers, before the first of them loads TensorFlow.
 */
export function nativeEnvironment(threads: number | undefined): Readonly<Record<string, string>> {
  return {
    // Warnings and errors; not what instructions the processor has.
    TF_CPP_MIN_LOG_LEVEL: '1',
    ...(threads === undefined ? {} : { TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: '1' }),
  }
}
