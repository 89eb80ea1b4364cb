import { strict as assert } from 'node:assert'
import * as vscode from 'vscode'
import type { ResultFile } from '../../../server/src/protocol/results.ts'
import { slowness } from '../../support/slowness.ts'
import { panelOf, rowsIn } from './panel-frames.ts'
import { closeAll, file, lensesOf, open, page, press, problemsOf, reveal, until } from './workbench.ts'

/** What happens when something runs: lenses, panels, cancelling, the Test Explorer, a server that starts anew. */
export function running(): void {
  suite('running a spec', () => {
    teardown(closeAll)

    test('a click on a lens explains a complaint, and the panel ranks the suspects', async () => {
      const editor = await open('people.assay')
      await until('lenses', async () => (await lensesOf('people.assay')).length > 0)
      reveal(editor, 'complaint too_much_churn')
      const lens = (await page()).locator('.codelens-decoration a', { hasText: 'Explain' })
      await lens.click({ timeout: 90_000 })
      const frame = await panelOf('too_much_churn')
      const rows = await until('ranked rows', async () => {
        const seen = await rowsIn(frame)
        return seen.length > 5 && seen
      })
      assert.equal(await frame.$$eval('[role="grid"]', (grids) => grids.length > 0), true)
      assert.match(rows[0]!.join(' '), /\b1\b/)
      const title = await until('a verdict in a lens', async () =>
        (await lensesOf('people.assay')).map((one) => one.title).find((one) => /stands/i.test(one)),
      )
      assert.match(title, /stands/)
    })

    test('a panel draws the same page again after a reload of all panels', async () => {
      await open('people.assay')
      await vscode.commands.executeCommand('assay.result', { uri: file('people.assay').toString(), name: 'too_much_churn' })
      const before = await rowsIn(await panelOf('too_much_churn'))
      await vscode.commands.executeCommand('workbench.action.webview.reloadWebviewAction')
      const after = await until('the rows again', async () => {
        const seen = await rowsIn(await panelOf('too_much_churn')).catch(() => [])
        return seen.length > 0 && seen
      })
      assert.deepEqual(after[0], before[0])
    })

    test('a suspect becomes an intervention in the spec', async () => {
      const editor = await open('people.assay')
      const before = editor.document.getText()
      await vscode.commands.executeCommand('assay.result', { uri: file('people.assay').toString(), name: 'too_much_churn' })
      const frame = await panelOf('too_much_churn')
      await frame.locator('.rows > .row').first().locator('.cell.check').click()
      await frame.getByRole('button', { name: 'Try without them' }).first().click()
      const text = await until('an intervention', () => editor.document.getText() !== before && editor.document.getText())
      assert.match(text.slice(0), /intervene \w+ \{[^}]*key in/s)
    })

    test('a long run stops when it is cancelled, and says so', async () => {
      await open('digits.assay')
      const uri = file('digits.assay').toString()
      const began = Promise.resolve(vscode.commands.executeCommand<ResultFile>('assay.run', { uri, names: ['too_many_sevens'] }))
      let hasEnded = false
      void began.finally(() => (hasEnded = true))
      const toast = await until('a notification of training', async () => {
        assert.equal(hasEnded, false, 'the run ended before it could be cancelled')
        const texts = await (await page()).$$eval('.notification-list-item', (shown) => shown.map((one) => one.textContent ?? ''))
        // Some versions keep what is told behind the bell.
        if (texts.length === 0) await vscode.commands.executeCommand('notifications.showList')
        return texts.find((text) => /too_many_sevens|reader/.test(text) && /train|reading/i.test(text))
      })
      assert.match(toast, /Cancel/)
      const from = performance.now()
      const stopped = await vscode.commands.executeCommand<number>('assay.cancel', { uri })
      const ended = await began
      const tookMs = performance.now() - from
      assert.equal(stopped, 1)
      assert.ok(
        ended.results.some((result) => result.status === 'cancelled'),
        JSON.stringify(ended.results.map((one) => [one.name, one.status])),
      )
      // A second is promised; the rest is for a busy machine.
      assert.ok(tookMs < 2000 * slowness(), `it took ${Math.round(tookMs)} ms`)
    })

    test('the Test Explorer runs assertions and complaints', async () => {
      await open('people.assay')
      await vscode.commands.executeCommand('workbench.view.testing.focus')
      await vscode.commands.executeCommand('testing.runCurrentFile')
      // The verdict of an item is an icon before its name.
      const verdicts = await until('verdicts in the Test Explorer', async () => {
        const rows = await (await page()).$$eval('.test-output-peek-tree .monaco-list-row', (all) =>
          all.map((row) => `${row.textContent} ${row.querySelector('.codicon[class*="codicon-testing-"]')?.className ?? ''}`),
        )
        return ['plausible', 'too_much_churn'].every((name) => rows.some((row) => row.includes(name) && /passed|failed/.test(row))) && rows
      })
      assert.ok(
        verdicts.some((row) => /too_much_churn.*failed/.test(row)),
        verdicts.join('\n'),
      )
      assert.ok(
        verdicts.some((row) => /plausible.*passed/.test(row)),
        verdicts.join('\n'),
      )
      await vscode.commands.executeCommand('workbench.view.explorer')
    })

    test('a server that is restarted knows results and problems as before', async () => {
      await open('wrong.assay')
      await until('a problem', () => problemsOf('wrong.assay').length > 0)
      await vscode.commands.executeCommand('assay.restartServer')
      await open('people.assay')
      await until('lenses', async () => (await lensesOf('people.assay')).some((one) => /stands/i.test(one.title)))
      await until('the problem again', () => problemsOf('wrong.assay').length > 0)
    })

    test('a preview shows rows that can be searched', async () => {
      await open('people.assay')
      await press('people.assay', 'people', 'Preview rows')
      const frame = await panelOf('people')
      const rows = await until('rows', async () => {
        const seen = await rowsIn(frame)
        return seen.length > 10 && seen
      })
      assert.ok(rows.length < 300, `${rows.length} rows are in the page at once`)
      await frame.locator('vscode-text-field input').first().fill('141')
      await until('one row', async () => (await rowsIn(frame)).length === 1)
    })

    test('data that would like to be more than text is text', async () => {
      await open('hostile.assay')
      await press('hostile.assay', 'harmless', 'Check')
      const frame = await panelOf('harmless')
      const rows = await until('rows', async () => {
        const seen = await rowsIn(frame)
        return seen.length === 6 && seen
      })
      assert.ok(
        rows.flat().some((cell) => cell.includes('<script>')),
        JSON.stringify(rows).slice(0, 500),
      )
      assert.ok(!rows.flat().some((cell) => cell.includes('\u202e')))
      const found = await frame.evaluate(() => ({
        scripts: [...document.scripts].filter((script) => script.textContent?.includes('broken')).length,
        images: document.querySelectorAll('img[src="x"]').length,
        links: document.querySelectorAll('a[href^="javascript"], a[href^="command"]').length,
        title: document.title,
      }))
      assert.deepEqual({ ...found, title: '' }, { scripts: 0, images: 0, links: 0, title: '' })
      assert.notEqual(found.title, 'broken')
    })
  })
}
