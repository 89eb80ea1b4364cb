/** `npm start`: runs the example on MNIST, prints what it found, and says where the report with the pictures lies. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const example = 'examples/digits.assay'
const report = join('.assay', 'reports', 'digits.html')
mkdirSync(join('.assay', 'reports'), { recursive: true })

process.stderr.write(`assay run ${example}   (three in ten ones of MNIST are labelled 7; who finds them?)\n`)
const { runProcess } = await import(new URL('../dist/main.mjs', import.meta.url).href)
const code = await runProcess(['run', example, '--report', report])

if (code > 1) {
  process.stderr.write('The example did not run; the lines above say why.\n')
} else {
  const verdict =
    code === 1
      ? 'The example ran. Its complaint stands: the model sees too many sevens, as the report shows.'
      : 'The example ran, and everything in it holds.'
  process.stdout.write(
    `\n${verdict}\nThe report with the pictures: ${join(root, report)}\nThe same as JSON:             npx assay run ${example} --format json\n`,
  )
}
process.stdout.write('', () => process.exit(code > 1 ? code : 0))
