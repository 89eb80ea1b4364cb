import { strict as assert } from 'node:assert'
import * as vscode from 'vscode'
import { slowness } from '../../support/slowness.ts'
import { panelOf, screenshot } from './panel-frames.ts'
import { closeAll, file, open, press, problemsOf, replace, until } from './workbench.ts'

/** What the assertion marks; the complaint's suspects are marked in the same file. */
const marked = () => problemsOf('people.csv').filter((problem) => problem.code === 'plausible')

/** Rows of data that an assertion flags, where they are: in the file that somebody has open. */
export function flaggedRows(): void {
  suite('flagged rows in the data', () => {
    teardown(closeAll)

    test('a row that fails is marked in its line, and no longer when it is mended', async () => {
      await open('people.assay')
      await press('people.assay', 'plausible', 'Check')
      const editor = await open('people.csv')
      const marks = await until('marks in the data', () => marked().length > 0 && marked())
      assert.deepEqual(marks.map((mark) => mark.at).sort(), ['302:1', '42:1'])
      assert.match(marks[0]!.message, /plausible|age/)
      editor.revealRange(new vscode.Range(36, 0, 48, 0), vscode.TextEditorRevealType.AtTop)
      for (const part of ['closePanel', 'closeSidebar']) await vscode.commands.executeCommand(`workbench.action.${part}`)
      await panelOf('plausible')
      await screenshot('flagged-row')

      await editor.edit((edit) => edit.insert(new vscode.Position(1, 0), '20,pro,3,false\n'))
      await until('the marks one line below', () => marked().some((mark) => mark.at === '43:1'))
      await replace(editor, '141,', '41,')
      const from = performance.now()
      await until('one mark less', () => !marked().some((mark) => mark.at === '43:1'))
      assert.ok(performance.now() - from < 1000 * slowness(), `it took ${Math.round(performance.now() - from)} ms`)
      assert.equal(marked().length, 1)
    })

    test('a mark leads to its rule', async () => {
      await open('people.csv')
      const [mark] = await until('a mark', () => {
        const all = vscode.languages.getDiagnostics(file('people.csv'))
        return all.length > 0 && all
      })
      assert.ok(mark!.relatedInformation?.[0]?.location.uri.path.endsWith('people.assay'))
    })
  })
}
