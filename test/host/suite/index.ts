import { writeFileSync } from 'node:fs'
import Mocha from 'mocha'
import * as vscode from 'vscode'
import { authoring } from './authoring.ts'
import { complaining } from './complaining.ts'
import { flaggedRows } from './flagged-rows.ts'
import { packaged } from './packaged.ts'
import { screenshot } from './panel-frames.ts'
import { looks } from './panels.ts'
import { running } from './running.ts'
import { leavePage, open, until } from './workbench.ts'

/**
 * The suite that runs inside a real editor: what only an editor can show. What a feature answers is tested without one, in `test/features`. The extension
 * host calls `run`; its rejection is the exit code 1.
 */
export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension('assay.assay')
  if (!extension) throw new Error('The editor has not loaded the extension.')
  const isPackaged = process.env.ASSAY_HOST_SUITE === 'package'
  if (!isPackaged) {
    // As a person would start it: by opening a spec.
    const editor = await open('people.assay')
    await until(`the extension to start with a file of language ${editor.document.languageId}`, () => extension.isActive)
  }
  const mocha = new Mocha({
    ui: 'tdd',
    // A guard against what hangs; a slow machine may take it.
    timeout: 240_000,
    slow: 3000,
    color: false,
    reporter: 'spec',
    grep: process.env.ASSAY_HOST_ONLY ?? '',
  })
  // Registers `suite` and `test` on the global object, as loading a file would.
  mocha.suite.emit('pre-require', globalThis as unknown as Mocha.MochaGlobals, '', mocha)
  for (const declare of isPackaged ? [packaged] : [authoring, running, complaining, flaggedRows, looks]) declare()
  mocha.suite.afterEach(async function () {
    if (this.currentTest?.state === 'failed') await screenshot(`failed-${this.currentTest.title.replaceAll(/\W+/g, '-')}`)
  })
  const counts = { passed: 0, failed: 0, pending: 0, ended: false }
  const count = (of: 'passed' | 'failed' | 'pending') => {
    counts[of]++
    writeFileSync(process.env.ASSAY_HOST_COUNTS!, JSON.stringify(counts))
  }
  const failures = await new Promise<number>((done) => {
    const runner = mocha.run(done)
    runner.on('pass', () => count('passed'))
    runner.on('pending', () => count('pending'))
    runner.on('fail', (test, reason: Error) => {
      count('failed')
      // At once: a suite that hangs later tells no more.
      console.error(`${test.fullTitle()}: ${reason.message}`)
    })
  })
  counts.ended = true
  await leavePage()
  writeFileSync(process.env.ASSAY_HOST_COUNTS!, JSON.stringify(counts))
  if (failures > 0) throw new Error(`${failures} failed.`)
}
