// Writes grammar/assay.tmLanguage.json from the keyword table. A test fails when it is not up to date.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url))

const bundle = await build({
  entryPoints: [path('grammar/src/tmlanguage.ts')],
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  write: false,
})
const source = Buffer.from(bundle.outputFiles[0].contents).toString('base64')
const { tmLanguage } = await import(`data:text/javascript;base64,${source}`)
await writeFile(path('grammar/assay.tmLanguage.json'), `${JSON.stringify(tmLanguage(), null, 2)}\n`)
