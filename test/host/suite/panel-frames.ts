import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Frame } from 'playwright-core'
import * as vscode from 'vscode'
import { page, until } from './workbench.ts'

/** The door to what a panel draws: its frame lies two frames deep in the workbench, and is known by its heading. */
export async function panelOf(name: string, limitMs = 90_000): Promise<Frame> {
  return until(
    `the panel of ${name}`,
    async () => {
      for (const frame of (await page()).frames()) {
        const heading = await frame.evaluate(() => document.querySelector('main.content h1')?.firstChild?.textContent ?? '').catch(() => '')
        if (heading.trim() === name) return frame
      }
      return undefined
    },
    limitMs,
  )
}

/** The texts of the rows that a table has on the screen, cell by cell. */
export function rowsIn(frame: Frame): Promise<string[][]> {
  return frame.$$eval('.rows > .row', (rows) => rows.map((row) => [...row.querySelectorAll('.cell')].map((cell) => cell.textContent ?? '')))
}

/** What axe finds against level A and AA of WCAG 2.1, or against the rule on colours alone: one line a rule and place. */
export async function violationsIn(frame: Frame, about: 'everything' | 'colours'): Promise<string[]> {
  if (about === 'everything') await frame.evaluate(axe.source)
  const rules = about === 'everything' ? ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] : ['color-contrast']
  return frame.evaluate(async (runOnly) => {
    const runner = (window as unknown as { axe: typeof axe }).axe
    const { violations } = await runner.run(document, { runOnly, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`))
  }, rules)
}

/** A picture of the whole window: the panel as it is met, beside its spec. */
export async function screenshot(name: string): Promise<void> {
  const folder = process.env.ASSAY_HOST_SCREENSHOTS!
  mkdirSync(folder, { recursive: true })
  await (await page()).screenshot({ path: join(folder, `${name}.png`) })
}

export const themes = {
  dark: ['Default Dark Modern', 'vscode-dark'],
  light: ['Default Light Modern', 'vscode-light'],
  'high-contrast-dark': ['Default High Contrast', 'vscode-high-contrast'],
  'high-contrast-light': ['Default High Contrast Light', 'vscode-high-contrast-light'],
} as const

export async function useTheme(theme: keyof typeof themes): Promise<void> {
  await vscode.workspace.getConfiguration('workbench').update('colorTheme', themes[theme][0], vscode.ConfigurationTarget.Global)
}

/** A panel hears of a theme a moment after the workbench. */
export function themedAs(frame: Frame, theme: keyof typeof themes): Promise<boolean> {
  return until(`a panel in ${theme}`, () => frame.evaluate((kind) => document.body.classList.contains(kind), themes[theme][1]))
}
