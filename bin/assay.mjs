#!/usr/bin/env node
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => new URL(path, import.meta.url)
const bundle = at('../dist/main.mjs')

// In a checkout that was never built, build it now.
if (!existsSync(bundle) && existsSync(at('../scripts/build.mjs')) && existsSync(at('../node_modules/esbuild'))) {
  spawnSync(process.execPath, [fileURLToPath(at('../scripts/build.mjs'))], { stdio: ['ignore', 2, 2] })
}
if (existsSync(bundle)) {
  const { runProcess } = await import(bundle.href)
  const code = await runProcess(process.argv.slice(2))
  // Whatever the engine's libraries keep alive ends here, after the last line is out.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
} else {
  process.stderr.write('Assay is not built: run `npm ci` and `npm run build` in its folder, then try again.\n')
  process.exitCode = 3
}
