import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeSample } from '../../scripts/make-sample.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Makes the folder that the suite opens: the examples, and small specs of its own over made data. Its name has blanks, and the packages that the
 * examples read from lie beside it, where `../node_modules` finds them.
 */
export function makeWorkspace(scratch) {
  const folder = join(scratch, 'specs to try')
  mkdirSync(folder)
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'), 'junction')
  cpSync(join(root, 'examples'), folder, { recursive: true, filter: (path) => !path.includes('.assay/') && !path.endsWith('.parquet') })
  cpSync(join(root, 'test/host/fixtures'), folder, { recursive: true })
  makeSample(join(folder, 'sample'))
  writeFileSync(join(folder, 'people.csv'), people())
  writeFileSync(join(folder, 'people.assay'), tour())
  writeFileSync(join(folder, 'hostile.csv'), hostile())
  return folder
}

/** The README's tour, word for word. */
function tour() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  return [...readme.matchAll(/```\n((?:---|source|assert|complaint|intervene)[\s\S]*?)```/g)].map((found) => found[1]).join('\n')
}

/** 300 rows, of which two are implausible: those on lines 42 and 302 of the file. */
function people() {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const plan = ['basic', 'plus', 'pro'][i % 3]
    const visits = (i * 7919) % 30
    return `${i === 40 ? 141 : 18 + ((i * 31) % 60)},${plan},${visits},${visits < 12 && plan !== 'pro'}`
  })
  return `age,plan,visits,churned\n${rows.join('\n')}\n121,pro,,false\n`
}

/** Text that would like to be more than text. */
function hostile() {
  const texts = [
    '<script>document.title = "broken"</script>',
    '<img src=x onerror=alert(1)>',
    'javascript:alert(1)',
    '[a link](command:workbench.action.quit)',
    'left \u202e tfel',
    'x'.repeat(20_000),
  ]
  return `id,note\n${texts.map((text, i) => `${i},"${text.replaceAll('"', '""')}"`).join('\n')}\n`
}
