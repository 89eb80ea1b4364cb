import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { Panel } from './harness.ts'
import { themes } from './themes.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
/** Rows after the first few look like them; asking about each takes most of the time. */
const alike = '.rows > .row:nth-child(n + 5)'
const shots = fileURLToPath(new URL('../../dist/panel-screenshots/', import.meta.url))

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
}

/**
 * What is shown, under all four theme kinds, judged by axe-core at levels A and AA. A theme changes colours and nothing else, so after the first only the rules about
 * colours are asked again. `SCREENSHOTS=1` leaves pictures in dist/panel-screenshots.
 */
export async function judge(panel: Panel, name: string): Promise<void> {
  if (!(await panel.ask('!!window.axe'))) await panel.ask(axe)
  const found: string[] = []
  for (const [i, theme] of themes.entries()) {
    await panel.dress(theme)
    const only = i === 0 ? { type: 'tag', values: levels } : { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
    const violations = await panel.ask<readonly Violation[]>(
      `axe.run({ include: ['html'], exclude: [['${alike}']] }, { runOnly: ${JSON.stringify(only)}, resultTypes: ['violations'], preload: false, iframes: false, elementRef: false }).then((result) => result.violations)`,
    )
    for (const { id, nodes } of violations)
      found.push(`${name} in ${theme.name}: ${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`)
    if (process.env.SCREENSHOTS) {
      mkdirSync(shots, { recursive: true })
      await panel.tab.screenshot({ path: `${shots}${name}-${theme.name}.png` })
    }
  }
  await panel.dress(themes[0]!)
  expect(found).toEqual([])
}
