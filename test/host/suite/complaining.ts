import { strict as assert } from 'node:assert'
import type { Frame } from 'playwright-core'
import * as vscode from 'vscode'
import { panelOf, rowsIn, screenshot, violationsIn } from './panel-frames.ts'
import { closeAll, lensesOf, open, page, press, reveal, until } from './workbench.ts'

const spec = 'complaining.assay'

/** From a number that looks wrong to the rows that are to blame for it, without writing a word. */
export function complaining(): void {
  suite('complaining of what is seen', () => {
    let editor: vscode.TextEditor
    let before: string
    setup(async () => {
      editor = await open(spec)
      before = editor.document.getText()
    })
    teardown(closeAll)
    const changed = () => until('an expectation in the spec', () => editor.document.getText() !== before && editor.document.getText())
    const lineOf = (text: string) => editor.document.lineAt(editor.document.positionAt(editor.document.getText().indexOf(text)).line).text
    const undo = async () => {
      await vscode.window.showTextDocument(editor.document, { viewColumn: vscode.ViewColumn.One })
      await vscode.commands.executeCommand('undo')
      assert.equal(editor.document.getText(), before)
    }
    const rowOf = async (frame: Frame, text: string) => {
      await until(`the row of ${text}`, async () => (await rowsIn(frame)).some((cells) => cells.includes(text)))
      return frame.locator('.rows > .row', { hasText: text })
    }
    const inputBox = async (value: string) => {
      const input = (await page()).locator('.quick-input-widget input')
      await input.waitFor({ state: 'visible' })
      await input.fill(value)
      await input.press('Enter')
    }

    test('a preview of a query trains nothing by itself, and what trains the model is one press away', async () => {
      reveal(editor, 'complaint leaving')
      await press(spec, 'leaving', 'Preview query')
      const frame = await panelOf('leaving')
      assert.match(
        (await frame.locator('main').textContent()) ?? '',
        /leaver has not been trained on this data, and a preview trains nothing/,
      )
      await screenshot('query-untrained')
      await frame.locator('vscode-button', { hasText: 'Train and preview' }).click()
      await rowOf(await panelOf('leaving'), 'plus')
    })

    test('a number that is too high becomes an expectation, which one step takes back and one press explains', async () => {
      reveal(editor, 'complaint leaving')
      await press(spec, 'leaving', 'Preview query')
      const frame = await panelOf('leaving')
      await (await rowOf(frame, 'plus')).locator('.cell.number').first().click()
      assert.match((await frame.locator('.bar .chosen').textContent()) ?? '', /^Row plus, leaving: \d+$/)
      await vscode.commands.executeCommand('notifications.clearAll')
      await screenshot('query-preview')
      assert.deepEqual(await violationsIn(frame, 'everything'), [])
      await frame.locator('.bar vscode-button', { hasText: 'Should be lower' }).click()
      const text = await changed()
      assert.equal(lineOf("lower leaving where plan = 'plus'"), "  expect  lower leaving where plan = 'plus'")
      assert.match(text, /-- as last year\n {2}expect {2}lower/)
      await until('the cursor at what was written', () =>
        editor.document.lineAt(vscode.window.activeTextEditor?.selection.active.line ?? 0).text.includes('lower leaving'),
      )
      await screenshot('query-expected')
      await undo()
      await vscode.commands.executeCommand('redo')
      assert.equal(editor.document.getText(), text)
      // The lens, as a hand finds it.
      await until('lenses', async () => (await lensesOf(spec)).some((one) => one.title === 'Explain'))
      reveal(editor, 'complaint leaving')
      const lens = (await page()).locator('.codelens-decoration a', { hasText: 'Explain' })
      await frame.evaluate(() => document.querySelector('h1')?.replaceChildren('seen'))
      await lens.click({ timeout: 90_000 })
      const panel = await panelOf('leaving')
      await until('suspects', async () => (await rowsIn(panel)).length > 5)
      await screenshot('query-explained')
    })

    test('by keyboard alone: a row, a number, what it should be', async () => {
      await press(spec, 'leaving', 'Preview query')
      const frame = await panelOf('leaving')
      await rowOf(frame, 'plus')
      const keys = (await page()).keyboard
      await frame.locator('.rows > .row').first().focus()
      // The box, the plan, how many, how old.
      for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight']) await keys.press(key)
      assert.match((await frame.locator('.bar .chosen').textContent()) ?? '', /^Row plus, mean age: /)
      // Back to the bar: it stands before the table.
      for (let tries = 0; tries < 8; tries++) {
        await keys.press('Shift+Tab')
        const name = await frame.evaluate(() => document.activeElement?.getAttribute('aria-label'))
        if (name === 'Should be…') break
      }
      await keys.press('Enter')
      await inputBox('nonsense')
      const wrong = (await page()).locator('.quick-input-message', { hasText: 'compares a column of the result with a number' })
      await wrong.waitFor({ state: 'visible' })
      await screenshot('query-asked')
      await inputBox('between 30 and 40')
      await changed()
      assert.equal(lineOf('between 30'), `  expect  "mean age" between 30 and 40 where plan = 'plus'`)
      await undo()
    })

    test('a query that stands nowhere becomes a complaint of its own', async () => {
      await press(spec, 'leaver', 'Preview predictions')
      const frame = await panelOf('leaver')
      await frame.locator('vscode-button', { hasText: 'Ask another query…' }).click()
      await inputBox('select plan, count(*) as n from people where predict(churned) = false group by plan')
      const answered = await until('the other query', async () => {
        for (const one of (await page()).frames())
          if ((await rowsIn(one).catch(() => [])).some((cells) => cells.includes('basic'))) return one
        return undefined
      })
      await (await rowOf(answered, 'basic')).locator('.cell.check').click()
      await answered.locator('.bar vscode-button', { hasText: 'Should not be here' }).click()
      const text = await changed()
      assert.equal(
        text.slice(before.length),
        `\ncomplaint leaver_unexpected_row using leaver {\n  query  select plan, count(*) as n from people where predict(churned) = false group by plan\n` +
          `  expect no row where plan = 'basic'\n  blame  top 25 rows of train by influence\n}\n`,
      )
      await until('the lens Explain above it', async () =>
        (await lensesOf(spec)).some((one) => one.title === 'Explain' && JSON.stringify(one.arguments).includes('leaver_unexpected_row')),
      )
      await undo()
    })
  })
}
