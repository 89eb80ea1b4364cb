import { strict as assert } from 'node:assert'
import * as vscode from 'vscode'
import type { ResultFile } from '../../../server/src/protocol/results.ts'
import { panelOf, screenshot, themedAs, themes, useTheme, violationsIn } from './panel-frames.ts'
import { closeAll, file, open, reveal } from './workbench.ts'

const spec = 'sample/digits.assay'
/** Every panel of the walkthrough's sample: what is declared, and what of it is shown. */
const panels = [
  { name: 'one_digit', what: 'result' },
  { name: 'reader', what: 'result' },
  { name: 'too_many_sevens', what: 'result' },
  { name: 'without_suspects', what: 'result' },
  { name: 'weak_spots', what: 'result' },
  { name: 'training', what: 'preview' },
  { name: 'too_many_sevens', what: 'plan' },
] as const

/** Every panel in every kind of theme: a picture to look at, and what axe finds. */
export function looks(): void {
  suite('panels', () => {
    suiteSetup(async () => {
      // Room for what the pictures are of.
      for (const part of ['closePanel', 'closeSidebar']) await vscode.commands.executeCommand(`workbench.action.${part}`)
      await vscode.workspace.getConfiguration('editor').update('minimap.enabled', false, vscode.ConfigurationTarget.Global)
      await open(spec)
      const uri = file(spec).toString()
      const names = ['one_digit', 'reader', 'too_many_sevens', 'without_suspects', 'weak_spots']
      const { results } = await vscode.commands.executeCommand<ResultFile>('assay.run', { uri, names })
      assert.deepEqual(
        names.map((name) => results.find((result) => result.name === name)?.status),
        ['violated', 'ok', 'violated', 'ok', 'ok'],
        results.map((result) => `${result.name}: ${result.message ?? result.status}`).join('\n'),
      )
    })
    suiteTeardown(async () => {
      await vscode.workspace.getConfiguration('workbench').update('colorTheme', undefined, vscode.ConfigurationTarget.Global)
      await closeAll()
    })

    for (const { name, what } of panels) {
      test(`${what} of ${name}: readable by everybody in four themes`, async () => {
        await closeAll()
        const editor = await open(spec)
        reveal(editor, ` ${name} `)
        const command = what === 'result' ? 'assay.result' : what === 'plan' ? 'assay.plan' : 'assay.preview'
        await vscode.commands.executeCommand(command, { uri: file(spec).toString(), name, names: [name] })
        const frame = await panelOf(name)
        await vscode.commands.executeCommand('notifications.clearAll')
        const found: string[] = []
        for (const theme of Object.keys(themes) as (keyof typeof themes)[]) {
          await useTheme(theme)
          await themedAs(frame, theme)
          // Colours fade into each other for a moment.
          await frame.waitForTimeout(300)
          await screenshot(`${name}-${what}-${theme}`)
          found.push(
            ...(await violationsIn(frame, theme === 'dark' ? 'everything' : 'colours')).map((violation) => `${theme}: ${violation}`),
          )
        }
        assert.deepEqual(found, [])
      })
    }
  })
}
