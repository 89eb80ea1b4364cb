import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Once before all tests: some run the built command line and server. Does nothing when nothing has changed. */
export function setup(): void {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
