import { strict as assert } from 'node:assert'
import * as vscode from 'vscode'
import { panelOf, rowsIn } from './panel-frames.ts'
import { closeAll, page, until } from './workbench.ts'

/** The package as a user has it: installed into an empty editor, with its own sample, doing the walkthrough's five steps. */
export function packaged(): void {
  suite('the package', () => {
    suiteSetup(() => vscode.commands.executeCommand('workbench.action.closeSidebar'))
    suiteTeardown(closeAll)

    test('is installed, and is not this checkout', () => {
      const { extensionPath, packageJSON } = vscode.extensions.getExtension('assay.assay')!
      assert.match(extensionPath, /assay\.assay-\d/)
      assert.equal(packageJSON.devDependencies, undefined)
    })

    test('opens its sample', async () => {
      await vscode.commands.executeCommand('assay.openSample')
      const editor = await until('the sample', () => vscode.window.activeTextEditor)
      assert.equal(editor.document.languageId, 'assay')
      await until('lenses', async () => (await (await page()).$$('.codelens-decoration a')).length > 0)
      const errors = vscode.languages.getDiagnostics(editor.document.uri).filter((one) => one.severity === vscode.DiagnosticSeverity.Error)
      assert.deepEqual(errors, [])
    })

    const steps = [
      ['shows a failing assertion', 'assay.trySampleAssertion', 'one_digit', 4],
      ['explains a complaint', 'assay.trySampleComplaint', 'too_many_sevens', 5],
      ['tries an intervention', 'assay.trySampleIntervention', 'without_suspects', 2],
      ['finds a slice', 'assay.trySampleSlice', 'weak_spots', 1],
    ] as const
    for (const [what, command, name, least] of steps) {
      test(what, async () => {
        await vscode.commands.executeCommand(command)
        const frame = await panelOf(name)
        await until(`rows of ${name}`, async () => (await rowsIn(frame)).length >= least)
      })
    }

    test('keeps the slice', async () => {
      const frame = await panelOf('weak_spots')
      await frame.locator('.rows > .row').first().locator('.cell.check').click()
      await frame.getByRole('button', { name: 'Keep as slice' }).first().click()
      const written = () => vscode.workspace.textDocuments.find(({ languageId, isDirty }) => languageId === 'assay' && isDirty)
      const document = await until('a slice in the spec', written)
      assert.match(document.getText(), /^slice \w+ on training where /m)
      // The sample stays as it was.
      await vscode.commands.executeCommand('workbench.action.files.revert')
    })
  })
}
