import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Page, TableSection } from '../../server/src/protocol/pages.ts'
import { chromiumPath, type Panel, startWorkbench, type Workbench } from './harness.ts'
import { judge } from './looks.ts'
import { fixtures, hostileTexts, previewPage } from './pages.ts'
import { themes } from './themes.ts'

/** The page inside the panels, in a real browser; one for all tests. */
const title = chromiumPath ? "the panels' page" : "the panels' page (skipped: no Chromium was found; CHROMIUM can say where it is)"

describe.skipIf(!chromiumPath)(title, () => {
  let workbench: Workbench
  let panel: Panel
  const pages = new Map<string, Page>()
  const page = (name: string) => pages.get(name)!
  const table = (name: string) => page(name).sections.find((section): section is TableSection => section.type === 'table')!

  beforeAll(async () => {
    workbench = await startWorkbench()
    for (const [name, make] of Object.entries(fixtures)) pages.set(name, await make())
    panel = await workbench.open()
    const { script, style } = workbench.sizes
    console.log(`panel.js ${Math.round(script / 1024)} kB, panel-style.css ${Math.round(style / 1024)} kB`)
  })
  afterAll(() => workbench?.close())
  afterEach(() => {
    // Whatever a test does: no error, no warning, no dialog, nothing that the policy had to stop.
    expect(panel.troubles.splice(0)).toEqual([])
  })
  const open = async (name: string) => {
    await panel.forget()
    await panel.visit(name, page(name))
  }
  const focused = () => panel.ask<string>(`document.activeElement.innerText.trim().split(/\\s*\\n\\s*/).join(' | ')`)
  const firstRow = '.rows .row[tabindex="0"]'
  const cellsOf = (column: number) =>
    panel.ask<string[]>(
      `[...document.querySelectorAll('.rows .row')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.children[${column}].innerText)`,
    )

  describe('looks', () => {
    for (const name of Object.keys(fixtures)) {
      test(`${name}: nothing for axe to say at levels A and AA, in four theme kinds`, async () => {
        await open(name)
        if (name === 'ranking') await openSecondRow()
        if (name === 'hostile') panel.troubles.length = 0
        await judge(panel, name)
      })
    }
    const openSecondRow = async () => {
      await panel.tab.focus(firstRow)
      await panel.press('Space', 'ArrowDown', 'Enter')
    }

    test('a run under way, and nothing to show', async () => {
      await panel.post({ type: 'nothing', sentence: 'Nothing is known of `weak_spots` yet. Run it to see which slices are worst.' })
      await panel.post({ type: 'running', stage: 'training `reader`', done: 12_000, of: 60_000 })
      await judge(panel, 'running')
      await panel.post({ type: 'idle' })
    })

    test('a page of another version asks for the window to be loaded again', async () => {
      await open('slices')
      await panel.post({ type: 'page', page: { ...page('slices'), schema: 'assay-page/2' as never } })
      expect(await panel.texts('.nothing p')).toEqual([expect.stringMatching(/another version .* Reload the window/)])
      expect(await panel.ask(`document.querySelectorAll('.section, .header').length`)).toBe(0)
    })

    test('beside an editor, suspects and what can be done with them fit without scrolling sideways', async () => {
      await panel.tab.setViewportSize({ width: 650, height: 860 })
      await open('ranking')
      expect(await panel.ask(`(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.grid'))`)).toBe(0)
      expect(
        await panel.ask(
          `new Set([...document.querySelectorAll('.bar vscode-button:not([hidden])')].map((one) => one.getBoundingClientRect().top)).size`,
        ),
      ).toBe(1)
      await panel.tab.setViewportSize({ width: 1100, height: 860 })
    })

    test('a narrow panel scrolls down, never sideways', async () => {
      await panel.tab.setViewportSize({ width: 340, height: 700 })
      for (const name of ['ranking', 'slices', 'assertion', 'comparison', 'model']) {
        await open(name)
        expect(await panel.ask(`document.documentElement.scrollWidth - document.documentElement.clientWidth`), name).toBeLessThanOrEqual(0)
      }
      await panel.tab.setViewportSize({ width: 1100, height: 860 })
    })

    test('another theme of the same kind recolours the controls too', async () => {
      await open('ranking')
      const colour = () => panel.ask<string>(`getComputedStyle(document.querySelector('.header vscode-button')).backgroundColor`)
      expect(await colour()).toBe('rgb(0, 120, 212)')
      await panel.dress({ ...themes[0]!, tokens: { ...themes[0]!.tokens, 'button-background': '#123456' } })
      await panel.until(`getComputedStyle(document.querySelector('.header vscode-button')).backgroundColor === 'rgb(18, 52, 86)'`)
      await panel.dress(themes[0]!)
    })
  })

  describe('what it says', () => {
    test('name, verdict in words beside a sign, state, figures, code', async () => {
      await open('ranking')
      expect(await panel.texts('h1')).toEqual(['too_many_sevens · complaint'])
      expect(await panel.texts('.verdict')).toEqual(['stands'])
      expect(await panel.ask(`document.querySelectorAll('.verdict .icon-cross').length`)).toBe(1)
      expect(await panel.texts('.stale')).toEqual(['The data has changed since this was computed.'])
      expect(await panel.texts('.lead code')).toEqual(['sevens <= 1028'])
      expect(await panel.texts('.figure dd')).toContain('1 352')
    })

    test('a run: stage, count, cancel; then a page again', async () => {
      await open('model')
      await panel.post({ type: 'running', stage: 'ranking', done: 20, of: 4_000 })
      expect(await panel.texts('.progress-line > span')).toEqual(['ranking', '20 of 4 000'])
      await panel.forget()
      await panel.tab.click('.progress vscode-button')
      expect(await panel.heard()).toEqual([{ type: 'cancel' }])
      await panel.post({ type: 'idle' })
      expect(await panel.ask(`document.querySelector('.progress').hidden`)).toBe(true)
    })

    test('actions of the whole page', async () => {
      await open('ranking')
      await panel.forget()
      await panel.tab.click('.header vscode-button:has-text("Go to declaration")')
      expect(await panel.heard()).toContainEqual({ type: 'act', action: 'declaration', rows: [] })
    })
  })

  describe('60 000 rows', () => {
    test('only what is seen is in the page; End leads to the last row', async () => {
      await open('preview')
      expect(await panel.ask(`document.querySelector('.grid').getAttribute('aria-rowcount')`)).toBe('60001')
      await panel.tab.focus(firstRow)
      await panel.press('End')
      expect(await focused()).toContain('59999')
      expect(await panel.ask(`document.activeElement.getAttribute('aria-rowindex')`)).toBe('60001')
      await panel.press('PageUp', 'PageUp', 'Control+Home')
      expect(await panel.ask(`document.activeElement.getAttribute('aria-rowindex')`)).toBe('2')
      // The focused row stays in the page wherever it is scrolled to.
      await panel.ask(`document.querySelector('.grid').scrollTop = 900_000`)
      await panel.until(`[...document.querySelectorAll('.rows .row')].some((row) => row.ariaRowIndex > 30_000)`)
      expect(await panel.ask(`document.activeElement.getAttribute('aria-rowindex')`)).toBe('2')
      expect(await panel.ask(`document.querySelectorAll('.rows .row').length`)).toBeLessThan(200)
      expect(await panel.ask(`document.querySelectorAll('*').length`)).toBeLessThan(1_500)
    })

    test('scrolls to its end, frame by frame', async () => {
      await open('preview')
      const before = await panel.work()
      const frames = await panel.ask<number[]>(`new Promise((done) => {
        const grid = document.querySelector('.grid'), times = []
        let last = performance.now()
        const step = () => {
          const now = performance.now()
          times.push(now - last)
          last = now
          grid.scrollTop += grid.scrollHeight / 30
          if (times.length < 36) requestAnimationFrame(step)
          else done(times)
        }
        requestAnimationFrame(step)
      })`)
      await panel.until(`[...document.querySelectorAll('.rows .row')].some((row) => row.ariaRowIndex === '60001')`)
      expect(await panel.ask(`document.querySelectorAll('.rows .row').length`)).toBeLessThan(200)
      const sorted = [...frames].sort((a, b) => a - b)
      const after = await panel.work()
      const each = (what: keyof typeof after) => `${what} ${((after[what] - before[what]) / frames.length).toFixed(1)} ms`
      console.log(
        `a frame that replaces every row: ${each('script')}, ${each('style')}, ${each('layout')}; from one to the next, median ${sorted[18]!.toFixed(0)} ms, slowest ${sorted.at(-1)!.toFixed(0)} ms`,
      )
    })

    test('numbers sort as numbers, what is missing last both ways; the heads say so', async () => {
      await open('preview')
      const press = (name: string) => panel.tab.click(`.head .cell:has-text("${name}")`)
      const sorting = () => panel.ask<string>(`[...document.querySelectorAll('.head [aria-sort]')].map((head) => head.ariaSort).join()`)
      await press('price')
      expect((await cellsOf(4)).slice(0, 2)).toEqual(['326', '326'])
      expect(await sorting()).toBe('none,none,none,ascending,none')
      await panel.tab.focus(firstRow)
      await panel.press('End')
      expect(await focused()).toContain('none')
      await press('price')
      expect((await cellsOf(4))[0]).toBe('18822')
      await panel.tab.focus('.rows .row')
      await panel.press('End')
      expect(await focused()).toContain('none')
      await press('price')
      expect(await sorting()).toBe('none,none,none,none,none')
      await panel.press('Home')
      expect(await focused()).toMatch(/^0 /)
    })

    test('a filter leaves the rows that contain it, and says how many', async () => {
      await open('preview')
      await panel.tab.fill('vscode-text-field input', 'two HOUSES')
      await panel.until(`document.querySelector('.grid').getAttribute('aria-rowcount') === '620'`)
      expect(await panel.texts('.status')).toEqual(['619 of 60 000 rows'])
      await panel.tab.fill('vscode-text-field input', 'no such')
      await panel.until(`document.querySelectorAll('.rows .row').length === 0`)
      expect(await panel.texts('.nothing-found')).toEqual(['No row contains “no such”.'])
      await panel.press('Escape', 'ArrowDown')
      expect(await panel.ask(`document.querySelector('.grid').getAttribute('aria-rowcount')`)).toBe('60001')
      expect(await focused()).toMatch(/^0 /)
    })
  })

  describe('by keyboard', () => {
    test('one stop, then rows, cells and heads', async () => {
      await open('slices')
      for (let i = 0; i < 30 && !(await panel.ask(`!!document.activeElement.closest('.grid')`)); i++) await panel.press('Tab')
      expect(await focused()).toContain('color = J and carat in [0, 0.3)')
      await panel.press('ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight')
      expect(await focused()).toBe('clarity = I1 and price in [326, 837)')
      await panel.press('Home')
      expect(await panel.ask(`document.activeElement.className`)).toContain('check')
      await panel.press('ArrowUp', 'ArrowUp', 'ArrowRight')
      expect(await panel.ask(`document.activeElement.getAttribute('role')`)).toBe('columnheader')
      await panel.press('Enter', 'Enter')
      expect(await panel.ask(`document.activeElement.ariaSort`)).toBe('descending')
      await panel.press('ArrowDown')
      expect(await focused()).toMatch(/^8 /)
      await panel.press('Tab')
      expect(await panel.ask(`!!document.activeElement.closest('.grid')`)).toBe(false)
      await panel.press('Shift+Tab')
      expect(await focused()).toMatch(/^8 /)
    })

    test('Space selects, Shift extends, the bar acts', async () => {
      await open('ranking')
      const bar = '.bar vscode-button'
      expect(await panel.ask(`[...document.querySelectorAll('${bar}[disabled]')].length`)).toBe(4 - 1)
      await panel.tab.focus(firstRow)
      await panel.press('ArrowDown', 'Space')
      expect(await panel.texts('.chosen')).toEqual(['1 row selected'])
      expect(await panel.ask(`document.activeElement.getAttribute('aria-selected')`)).toBe('true')
      expect(await panel.ask(`document.querySelectorAll('${bar}[disabled]').length`)).toBe(0)
      await panel.press('Shift+ArrowDown', 'Shift+ArrowDown')
      expect(await panel.texts('.chosen')).toEqual(['3 rows selected'])
      // Showing a row in the data takes exactly one.
      expect(await panel.ask(`[...document.querySelectorAll('${bar}[disabled]')].map((one) => one.ariaLabel)`)).toEqual(['Show in data'])
      await panel.forget()
      await panel.tab.click('.bar vscode-button:has-text("Try without them")')
      expect(await panel.heard()).toContainEqual({ type: 'act', action: 'intervene-remove', section: 'suspects', rows: [1, 2, 3] })
      await panel.tab.focus('.rows .row.active')
      await panel.press('Control+a')
      expect(await panel.texts('.chosen')).toEqual(['120 rows selected'])
    })

    test('what is expected is about the number that was gone to, in the row that has the focus', async () => {
      await open('answer')
      const enabled = () =>
        panel.ask<string[]>(
          `[...document.querySelectorAll('.bar vscode-button:not([disabled]):not([hidden])')].map((one) => one.ariaLabel)`,
        )
      const pressed = async (label: string) => {
        await panel.forget()
        await panel.tab.click(`.bar vscode-button:has-text("${label}")`)
        return (await panel.heard()).filter((one) => one.type === 'act')
      }
      expect([await panel.texts('.chosen'), await enabled()]).toEqual([['Go to a row or a number'], ['A row is missing…']])
      await panel.tab.focus(firstRow)
      await panel.press('ArrowDown')
      expect(await panel.texts('.chosen')).toEqual(['Row 1, n: 1011'])
      expect(await enabled()).toEqual(['Should be lower', 'Should be higher', 'Should be…', 'Should not be here', 'A row is missing…'])
      expect(await pressed('Should be lower')).toEqual([{ type: 'act', action: 'expect-lower', section: 'rows', rows: [1], column: 2 }])
      await panel.tab.focus('.rows .row.active')
      // Past the box, the picture, the digit and n, to how sure it is.
      await panel.press('ArrowDown', ...Array<string>(5).fill('ArrowRight'))
      expect(await focused()).toBe('0.85')
      expect(await panel.texts('.chosen')).toEqual(['Row 2, sure: 0.85'])
      expect(await panel.ask(`document.querySelector('.bar').getAttribute('aria-label')`)).toBe('Row 2, sure: 0.85')
      expect(await pressed('Should be…')).toEqual([{ type: 'act', action: 'expect-equal', section: 'rows', rows: [2], column: 3 }])
      expect(await pressed('A row is missing…')).toEqual([{ type: 'act', action: 'expect-row', section: 'rows', rows: [] }])
      // The mouse chooses a number as arrows do; a cell that nothing can be expected of leaves the choice as it is.
      await panel.tab.click('.rows .row.active .cell >> nth=3')
      expect(await panel.texts('.chosen')).toEqual(['Row 2, n: 1042'])
      await panel.tab.click('.rows .row.active .cell >> nth=2')
      expect(await panel.texts('.chosen')).toEqual(['Row 2, n: 1042'])
      await panel.tab.focus('.rows .row.active')
      await panel.press('Escape', 'Space', 'Shift+ArrowDown')
      expect([await panel.texts('.chosen'), await enabled()]).toEqual([
        ['2 rows selected'],
        ['Should not be here', 'A row is missing…', 'Clear the selection'],
      ])
      expect(await pressed('Should not be here')).toEqual([{ type: 'act', action: 'expect-none', section: 'rows', rows: [2, 3] }])
    })

    test('an opened row offers the same of each of its numbers', async () => {
      await open('answer')
      await panel.tab.focus(firstRow)
      await panel.press('Home', 'Enter')
      expect(await panel.ask(`[...document.querySelectorAll('.why vscode-button[aria-label*=":"]')].map((one) => one.ariaLabel)`)).toEqual(
        ['n', 'sure'].flatMap((name) => ['lower', 'higher', '…'].map((word) => `${name}: Should be${word === '…' ? word : ` ${word}`}`)),
      )
      await panel.forget()
      await panel.tab.click('.why vscode-button[aria-label="sure: Should be higher"]')
      expect(await panel.heard()).toContainEqual({ type: 'act', action: 'expect-higher', section: 'rows', rows: [0], column: 3 })
    })

    test('Enter opens the row and why; the pane follows; Escape closes it', async () => {
      await open('ranking')
      await panel.tab.focus(firstRow)
      await panel.press('Enter')
      expect(await panel.texts('.why h3')).toEqual(['Row 1000'])
      expect(await panel.ask(`document.querySelectorAll('.reasons li img').length`)).toBe(3)
      expect(await panel.ask(`document.querySelector('.large img').naturalWidth`)).toBe(28)
      await panel.press('ArrowDown')
      expect(await panel.texts('.why h3')).toEqual(['Row 1037'])
      await panel.forget()
      await panel.tab.click('.why vscode-button:has-text("Show in data")')
      expect(await panel.heard()).toContainEqual({ type: 'act', action: 'show-row', section: 'suspects', rows: [1] })
      await panel.press('Escape')
      expect(await panel.ask(`document.querySelector('.why').hidden`)).toBe(true)
      expect(await focused()).toContain('1037')
    })
  })

  describe('charts', () => {
    test('a mark leads to its row in the table with the same numbers, and nowhere else', async () => {
      await open('slices')
      await panel.ask(
        `void (window.linksClicked = 0, document.addEventListener('click', (event) => event.composedPath().some((node) => node.localName === 'a') && window.linksClicked++))`,
      )
      await panel.tab.click('.plots a:nth-of-type(3) circle')
      expect(await focused()).toMatch(/^3 \| color = J and carat in \[0.2, 0.5\)/)
      expect(await panel.texts('.chosen')).toEqual(['1 row selected'])
      expect(await panel.ask(`location.hash + linksClicked`)).toBe('0')
    })

    test('marks are one stop; arrows go among them, and what they are is said', async () => {
      await open('slices')
      expect(await panel.ask(`document.querySelectorAll('.plots a[tabindex="0"]').length`)).toBe(1)
      await panel.tab.focus('.plots a[tabindex="0"]')
      await panel.press('ArrowRight')
      expect(await panel.texts('.readout')).toEqual([expect.stringContaining('clarity = I1 and price in [326, 837)')])
      await panel.press('Enter')
      expect(await focused()).toMatch(/^2 /)
    })

    test('a chart without marks is an image with a name; its table is a button away', async () => {
      await open('comparison')
      expect(
        await panel.ask(`[...document.querySelectorAll('.plots svg')].every((svg) => svg.getAttribute('role') === 'img' && svg.ariaLabel)`),
      ).toBe(true)
      await panel.tab.click('figcaption vscode-button:has-text("Table")')
      expect(await panel.ask(`!!document.activeElement.closest('.grid')`)).toBe(true)
    })

    test('saved with the colours of the theme written out', async () => {
      await open('comparison')
      await panel.forget()
      await panel.tab.click('figcaption vscode-button:has-text("SVG")')
      const [saved] = (await panel.heard()).filter((message) => message.type === 'save')
      expect(saved).toMatchObject({ format: 'svg', name: 'drop_suspects-chart-0.svg' })
      const text = (saved as { text: string }).text
      expect(text).toContain('rgb(55, 148, 255)')
      expect(text).not.toMatch(/var\(|currentColor/)
    })
  })

  describe('kept over a reload', () => {
    test('order, filter, selection, opened row, folded tables and place', async () => {
      await open('ranking')
      await panel.tab.click('.head .cell:has-text("influence")')
      await panel.tab.fill('vscode-text-field input', 'relabel')
      await panel.tab.focus(firstRow)
      await panel.press('PageDown', 'PageDown', 'Space', 'Enter')
      await panel.tab.click('summary:has-text("As declared")')
      const state = `({ sort: document.querySelector('[aria-sort="ascending"]').innerText, top: document.querySelector('.grid').scrollTop,
        chosen: document.querySelector('.chosen').innerText, why: document.querySelector('.why h3').innerText,
        text: document.querySelector('details').open, filter: document.querySelector('vscode-text-field').value })`
      await panel.ask(`new Promise((done) => setTimeout(done, 250))`)
      const before = await panel.ask<Record<string, unknown>>(state)
      expect(before).toMatchObject({ sort: 'influence', chosen: '1 row selected', text: true, filter: 'relabel' })
      await panel.reload()
      await panel.post({ type: 'page', page: page('ranking') })
      expect(await panel.ask(state)).toEqual(before)
      // The extension finds the panel again by its address.
      expect(await panel.ask(`acquireVsCodeApi().getState().address`)).toEqual(page('ranking').address)
    })

    test('of a new result, rows are found again by their keys', async () => {
      const before = previewPage(40)
      await panel.visit('forty', before)
      await panel.tab.focus(firstRow)
      await panel.press('ArrowDown', 'Space')
      const section = before.sections[0] as TableSection
      const after = { ...before, sections: [{ ...section, rows: [...section.rows].reverse() }] }
      await panel.post({ type: 'page', page: after })
      expect(await panel.texts('.row.selected')).toEqual([expect.stringMatching(/^1\b/)])
      // And the focus is where it was.
      expect(await focused()).toMatch(/^1\b/)
    })
  })

  describe('copied and saved', () => {
    const csvOf = async () => {
      await panel.forget()
      await panel.tab.click('.copies vscode-button:has-text("Copy")')
      return panel.ask<string>(`heard.find((message) => message.type === 'copy').text.slice(0, 5_000)`)
    }

    test('CSV: all that is shown, or what is selected, in the order shown', async () => {
      await open('slices')
      const lines = (await csvOf()).split('\r\n')
      expect(lines[0]).toBe(
        table('slices')
          .columns.map((column) => column.name)
          .join(','),
      )
      expect(lines).toHaveLength(8 + 2)
      expect(lines[1]).toContain('"color = J and carat in [0, 0.3)",180,1.9,')
      await panel.tab.focus(firstRow)
      await panel.press('ArrowDown', 'Space')
      expect((await csvOf()).split('\r\n')).toHaveLength(1 + 2)
    })

    test('JSON: a member a column, values as they are', async () => {
      await open('slices')
      await panel.forget()
      await panel.tab.click('.copies vscode-button:has-text("JSON")')
      const [saved] = (await panel.heard()).filter((message) => message.type === 'save')
      expect(saved).toMatchObject({ format: 'json', name: 'weak_spots-slices.json' })
      expect(JSON.parse((saved as { text: string }).text)[0]).toMatchObject({ rows: 180, 'mean error': 1.9 })
    })

    test('a spreadsheet gets no formula from data', async () => {
      await open('hostile')
      panel.troubles.length = 0
      const text = await csvOf()
      expect(text).toContain(`"'=HYPERLINK(""http://127.0.0.1/?""&A1,""see"")"`)
      expect(text).toContain(`'@SUM(1)`)
      expect(text).toContain(`"a ""quoted"", cell\nover two lines"`)
      expect(text).toContain('\r\n-12.5,5\r\n')
      expect(text.split('\r\n')[0]).toBe(`${hostileTexts.script},'=1+1`)
    })
  })

  test('what is hostile is text', async () => {
    const asked: string[] = []
    panel.tab.on('request', (request) => asked.push(request.url()))
    await open('hostile')
    await panel.tab.focus(firstRow)
    for (let i = 0; i < table('hostile').rows.length; i++) await panel.press('Enter', 'ArrowDown')
    const foreign = await panel.ask(
      `[...document.querySelectorAll('main :is(script, style, iframe, object, embed, link, image, use, foreignObject, form)')].length`,
    )
    expect(foreign).toBe(0)
    const attributes = await panel.ask<string[]>(`[...document.querySelectorAll('*')].flatMap((e) => [...e.attributes])
      .filter((a) => /^on/i.test(a.name) || (/^(href|src|xlink:href)$/.test(a.name) && !/^(#rows\\/\\d+|data:image\\/png|data:,|\\/)/.test(a.value))).map((a) => a.name + '=' + a.value)`)
    expect(attributes).toEqual([])
    expect(await panel.ask(`document.querySelectorAll('.plots a[href]').length`)).toBe(1)
    expect(await panel.texts('h1')).toEqual([`${hostileTexts.script} · assert`])
    expect(await panel.texts('.figure dd')).toEqual(['abc\\u202ereversed\\u202c\\u2066'])
    expect(await panel.ask(`/[\\u202a-\\u202e\\u2066-\\u2069\\u0000-\\u0008\\u001b]/.test(document.body.innerText)`)).toBe(false)
    expect(await panel.ask(`document.body.innerText.length`)).toBeLessThan(120_000)
    expect(asked.filter((url) => !url.startsWith('data:') && !url.includes('/made.js?'))).toEqual([])
    // The policy stops what the chart's text carries while it is read, and says so; none of it is let into the page.
    const others = panel.troubles
      .splice(0)
      .filter((trouble) => !/policy: (script-src-attr|style-src-attr|style-src-elem)|Security Policy/.test(trouble))
    expect(others).toEqual([])
  })
})
