import { strict as assert } from 'node:assert'
import * as vscode from 'vscode'
import { closeAll, file, lensesOf, open, page, problemsOf, replace, until } from './workbench.ts'

/** What is seen while a spec is written; nothing runs. */
export function authoring(): void {
  suite('writing a spec', () => {
    teardown(closeAll)

    test('a misspelt column is underlined where it stands, and no longer when it is mended', async () => {
      const editor = await open('wrong.assay')
      const [problem] = await until('a problem', () => problemsOf('wrong.assay').length > 0 && problemsOf('wrong.assay'))
      assert.equal(problem!.at, '3:32')
      assert.match(problem!.message, /No column `vists` in `people`.*`visits`/)
      await until('a squiggle on the screen', async () => (await (await page()).$$('.squiggly-error')).length > 0)
      await replace(editor, 'vists', 'visits')
      await until('no problem', () => problemsOf('wrong.assay').length === 0)
      await until('no squiggle', async () => (await (await page()).$$('.squiggly-error')).length === 0)
    })

    test('the quick fix writes the column that was meant', async () => {
      const editor = await open('wrong.assay')
      await until('a problem', () => problemsOf('wrong.assay').length > 0)
      const range = vscode.languages.getDiagnostics(file('wrong.assay'))[0]!.range
      const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
        'vscode.executeCodeActionProvider',
        editor.document.uri,
        range,
      )
      const fix = actions.find((action) => action.title.includes('visits'))
      assert.ok(fix?.edit, actions.map((action) => action.title).join(', '))
      await vscode.workspace.applyEdit(fix.edit)
      assert.match(editor.document.getText(), /where visits > 20/)
    })

    test('completion offers the columns of this source', async () => {
      const editor = await open('wrong.assay')
      const at = editor.document.positionAt(editor.document.getText().indexOf('vists'))
      const labels = await until('columns', async () => {
        const list = await vscode.commands.executeCommand<vscode.CompletionList>(
          'vscode.executeCompletionItemProvider',
          editor.document.uri,
          at,
        )
        const found = list.items.map(({ label }) => (typeof label === 'string' ? label : label.label))
        return found.includes('visits') && found
      })
      assert.ok(
        ['age', 'plan', 'visits', 'churned'].every((name) => labels.includes(name)),
        labels.join(', '),
      )
    })

    test('hover says what a name stands for', async () => {
      const editor = await open('people.assay')
      const at = editor.document.positionAt(editor.document.getText().indexOf('age between') + 1)
      const text = await until('a hover', async () => {
        const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', editor.document.uri, at)
        const said = hovers.flatMap((hover) => hover.contents.map((part) => (typeof part === 'string' ? part : part.value))).join('\n')
        return /age/.test(said) && said
      })
      assert.match(text, /column of `people`/)
    })

    test('code lenses stand above what can be run', async () => {
      await open('people.assay')
      const titles = await until('lenses', async () => {
        const found = (await lensesOf('people.assay')).map((lens) => lens.title)
        return found.length > 0 && found
      })
      assert.ok(
        ['Preview rows', 'Show SQL', 'Check', 'Explain', 'Try'].every((title) => titles.includes(title)),
        titles.join(', '),
      )
      await until('lenses on the screen', async () =>
        (await (await page()).$$eval('.codelens-decoration a', (links) => links.map((link) => link.textContent))).includes('Preview rows'),
      )
    })

    test('a declaration is found, renamed and listed', async () => {
      const editor = await open('people.assay')
      const text = editor.document.getText()
      const use = editor.document.positionAt(text.indexOf('using churn') + 'using '.length)
      const found = await until('a definition', async () => {
        const all = await vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>(
          'vscode.executeDefinitionProvider',
          editor.document.uri,
          use,
        )
        return all.length > 0 && all
      })
      const target = 'range' in found[0]! ? found[0].range : found[0]!.targetRange
      assert.match(editor.document.lineAt(target.start.line).text, /^model churn/)
      const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
        'vscode.executeDocumentRenameProvider',
        editor.document.uri,
        use,
        'leaving',
      )
      assert.ok(edit.entries().flatMap(([, edits]) => edits).length >= 3)
      const symbols = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
        'vscode.executeDocumentSymbolProvider',
        editor.document.uri,
      )
      assert.deepEqual(
        symbols.map((symbol) => symbol.name),
        ['people', 'churn', 'plausible', 'plans', 'too_much_churn', 'without_them'],
      )
    })

    test('the examples have no problems', async () => {
      for (const name of ['digits.assay', 'stones.assay', 'people.assay']) {
        await open(name)
        await until(`lenses of ${name}`, async () => (await lensesOf(name)).length > 0)
        assert.deepEqual(
          problemsOf(name).filter((problem) => problem.severity === vscode.DiagnosticSeverity.Error),
          [],
        )
      }
    })
  })
}
