import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { slowness } from '../support/slowness.ts'
import { madeFolder } from './run-cli.ts'

/** The real command in a process of its own, on small made files. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'bin/assay.mjs')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
function assay(
  folder: string,
  line: string,
  more: { env?: Record<string, string>; onErr?: (text: string, kill: () => void) => void } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...line.split(' ')], { cwd: folder, env: { ...process.env, ...more.env } })
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => {
      err += data
      more.onErr?.(err, () => child.kill('SIGINT'))
    })
    child.on('close', (code) => resolve({ code, out, err }))
  })
}
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = madeFolder()
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

describe("the README's tour", () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const spec = [...readme.matchAll(/```\n((?:---|source|assert|complaint|intervene)[\s\S]*?)```/g)].map((found) => found[1]).join('\n')
  const rows = Array.from({ length: 300 }, (_, i) => {
    const plan = ['basic', 'plus', 'pro'][i % 3]
    const visits = (i * 7919) % 30
    return `${18 + ((i * 31) % 60)},${plan},${visits},${visits < 12 && plan !== 'pro'}`
  })
  const folder = folderWith({ 'shop.assay': spec, 'people.csv': `age,plan,visits,churned\n${rows.join('\n')}\n121,pro,,false\n` })

  test('is right, and runs', async () => {
    const checked = await assay(folder, 'check shop.assay')
    expect(checked.out + checked.err).toBe('1 file, no problems.\n')
    const first = await assay(folder, 'run shop.assay --format json --report report.html')
    expect(first.code, first.err).toBe(1)
    const { results, backend } = JSON.parse(first.out) as { results: Record<string, unknown>[]; backend: { selfTest: string } }
    expect(results.map((r) => [r.name, r.status])).toEqual([
      ['people', 'ok'],
      ['churn', 'ok'],
      ['plausible', 'ok'],
      ['plans', 'ok'],
      ['too_much_churn', 'violated'],
      ['without_them', 'ok'],
    ])
    expect(backend.selfTest).toBe('passed')
    expect((results[4]!.ranking as unknown[]).length).toBe(50)
    expect(results[2]).toMatchObject({ failed: 1, unknown: 0 })
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('too_much_churn')

    const second = JSON.parse((await assay(folder, 'run shop.assay too_much_churn --format json')).out) as {
      results: Record<string, unknown>[]
    }
    expect(second.results.find((r) => r.name === 'too_much_churn')!.ranking).toEqual(results[4]!.ranking)
    expect(readdirSync(join(folder, '.assay/tmp'))).toEqual([])
  })
})

test('data that would like to command the terminal', async () => {
  const folder = folderWith({
    'a.assay': "source t {\n  from 'a.csv'\n}\nassert none on t {\n  each row\n  require n > 9\n}\n",
    'a.csv': `n,text\n1,"\u001b[2J\u202e<script>alert(1)</script>"\n2,${'x'.repeat(1_000_000)}\n`,
  })
  const { code, out, err } = await assay(folder, 'run a.assay --report r.html')
  expect(code, err).toBe(1)
  expect(`${out}${err}`.includes('\u001b') || out.includes('\u202e')).toBe(false)
  expect(out.length).toBeLessThan(5000)
  const page = readFileSync(join(folder, 'r.html'), 'utf8')
  expect(page.includes('<script') || page.length > 100_000).toBe(false)
})

test('Ctrl-C ends training within a second and leaves nothing half-written', async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) => `${(i * 7) % 101},${(i * 13) % 97},${((i * 7) % 101) + ((i * 13) % 97) > 99 ? 1 : 0}`,
  )
  const folder = folderWith({
    'slow.assay':
      'source big {\n  from "big.csv"\n  split train 100%\n}\nmodel net on big {\n  predict y\n  from a, b\n  kind mlp(hidden: [64, 64])\n  train on train with (epochs: 2000)\n}\n'.replaceAll(
        '"',
        "'",
      ),
    'big.csv': `a,b,y\n${rows.join('\n')}\n`,
  })
  let asked = 0
  const ended = await assay(folder, 'run slow.assay', {
    onErr: (text, kill) => {
      if (asked > 0 || !text.includes('net: train')) return
      setTimeout(() => {
        asked = performance.now()
        kill()
      }, 300)
    },
  })
  expect(ended.code, ended.err).toBe(130)
  // Itself held to a second; the rest is for a machine that does other things at the same time.
  expect(performance.now() - asked).toBeLessThan(2000 * slowness())
  expect(ended.out).toBe('')
  expect(ended.err).toContain('Cancelled.')
  expect(readdirSync(join(folder, '.assay/tmp'))).toEqual([])
  expect(existsSync(join(folder, '.assay/models'))).toBe(false)
})

test('watch: rows that come are told, and Ctrl-C ends it with the code of the last state', async () => {
  const row = (i: number) => `${i},${((i * 7) % 101) / 101},${(i * 7) % 101 > 50 ? 'p' : 'q'}`
  const rows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${row(from + i)}\n`).join('')
  const folder = folderWith({
    'w.assay':
      "source known {\n  from 'known.csv'\n  key id\n  split train 100%\n}\nsource seen {\n  from 'seen.csv'\n  key id\n}\nmodel m on known {\n  predict y\n  from x\n  kind logistic\n  train on train\n}\n" +
      "complaint c using m {\n  query select count(*) as n from seen where predict(y) = 'p'\n  expect n <= 30\n  blame top 3 rows of known\n}\n",
    'known.csv': `id,x,y\n${rows(0, 200)}`,
    'seen.csv': `id,x,y\n${rows(0, 40)}`,
  })
  const child = spawn(process.execPath, [bin, 'watch', 'w.assay', '--every', '0.1', '--format', 'json'], { cwd: folder })
  let out = ''
  let err = ''
  let asked = 0
  child.stderr.on('data', (data) => (err += data))
  const code = await new Promise((resolve) => {
    child.stdout.on('data', (data) => {
      out += data
      const told = out.split('\n').length - 1
      if (told === 1) appendFileSync(join(folder, 'seen.csv'), rows(40, 100))
      if (told !== 2) return
      asked = performance.now()
      child.kill('SIGINT')
    })
    child.on('close', resolve)
  })
  expect(performance.now() - asked).toBeLessThan(2000 * slowness())
  expect([code, err.includes('Stopped watching.'), /\n {4}at /.test(err)], err).toEqual([1, true, false])
  const [first, second] = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(first).toMatchObject({ schema: 'assay-watch/1', event: 'update', how: 'whole', rows: 40, satisfied: true })
  expect(second).toMatchObject({ how: 'batch', rows: 100, added: 60, satisfied: false })
  expect(readdirSync(join(folder, '.assay/tmp'))).toEqual([])
  const idle = await assay(folder, 'watch w.assay c --until-idle 0.2 --top 2')
  expect(idle.code, idle.err).toBe(1)
  expect(idle.out).toMatch(
    /c: not as expected, 100 rows \(evaluated as a whole in .*\n.*n <= 30: 49 .*expected <= 30\n.*blamed first, by auto.*\n(.*\n){3}$/,
  )
})

describe('format', () => {
  const untidy = 'slice   a on t where x=1\n'
  test('in place, naming what changed, through links and keeping permissions', async () => {
    const folder = folderWith({ 'a.assay': untidy })
    symlinkSync('a.assay', join(folder, 'link.assay'))
    expect((await assay(folder, 'format link.assay --check')).code).toBe(1)
    expect(readFileSync(join(folder, 'a.assay'), 'utf8')).toBe(untidy)
    const mode = statSync(join(folder, 'a.assay')).mode
    const { code, out } = await assay(folder, 'format link.assay')
    expect([code, out]).toEqual([0, 'formatted link.assay\n'])
    expect(readFileSync(join(folder, 'a.assay'), 'utf8')).toBe('slice a on t where x = 1\n')
    expect(statSync(join(folder, 'a.assay')).mode).toBe(mode)
    expect(readdirSync(folder).sort()).toEqual(['.assay', 'a.assay', 'link.assay'])
    expect((await assay(folder, 'format link.assay --check')).code).toBe(0)
  })

  test('leaves a file with a syntax error alone, and formats the others', async () => {
    const folder = folderWith({ 'bad.assay': 'slice   a on\n', 'good.assay': untidy })
    const { code, out, err } = await assay(folder, 'format bad.assay good.assay')
    expect([code, out]).toEqual([2, 'formatted good.assay\n'])
    expect(err).toMatch(/^bad\.assay:1:/)
    expect(readFileSync(join(folder, 'bad.assay'), 'utf8')).toBe('slice   a on\n')
  })
})

test('where the project cannot be written, the cache goes to ASSAY_HOME', async () => {
  const folder = folderWith({ 'package.json': '{}', 'a.csv': 'n\n1\n' })
  writeFileSync(join(folder, 'a.assay'), "source t {\n  from 'a.csv'\n}\n")
  const inner = join(folder, 'home')
  // A file where the folder should be cannot be made a folder by anybody.
  execFileSync('rm', ['-r', join(folder, '.assay')])
  writeFileSync(join(folder, '.assay'), '')
  expect((await assay(folder, 'check a.assay', { env: { ASSAY_HOME: inner } })).code).toBe(0)
  expect(readdirSync(join(inner, 'projects'))).toHaveLength(1)
})
