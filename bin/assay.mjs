#!/usr/bin/env node
import { existsSync } from 'node:fs'

const bundle = new URL('../dist/main.mjs', import.meta.url)
if (existsSync(bundle)) {
  const { runProcess } = await import(bundle.href)
  const code = await runProcess(process.argv.slice(2))
  // Whatever the engine's libraries keep alive ends here, after the last line is out.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
} else {
  process.stderr.write('Assay is not built yet: run `npm ci && npm run build` in its folder, then try again.\n')
  process.exitCode = 3
}
