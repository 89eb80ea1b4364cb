import { createHash } from 'node:crypto'
import type { ComplaintResult, RankedRow, ReportedProblem, Result } from '../protocol/results.ts'
import type { View } from '../protocol/views.ts'
import { chartsOf } from './charts.ts'
import type { Table } from './fields.ts'
import { cell, figure, figures, keyText } from './figures.ts'
import { headline, writtenSql } from './headline.ts'
import { html, type Markup, trusted } from './markup.ts'
import { pngUrls } from './pictures.ts'
import { rankingNote, rankingTitle, scoreOf } from './ranking-wording.ts'
import { reportStyle } from './style.ts'
import { tablesOf } from './tables.ts'
import type { Report } from './views.ts'
import { backendText, cutText, mood, provenanceText, sentences, summary, verdict, withHint } from './wording.ts'

const rowsShown = 500
const picturesShown = 200

/**
 * A report as one page that stands alone: no script, nothing remote, and a policy that forbids both. O(rows and pixels shown).
 */
export async function htmlReport(report: Report): Promise<string> {
  const sections: Markup[] = []
  for (const [i, view] of report.views.entries()) sections.push(await section(view, i))
  const { file } = report
  const hash = createHash('sha256').update(reportStyle).digest('base64')
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${file.file} · Assay</title>
<style>${trusted(reportStyle)}</style>
</head>
<body>
<header>
<h1>${file.file}</h1>
${report.views.length > 0 ? html`<p class="lead">${summary(file.results)}</p>` : ''}
${navigation(report.views)}
</header>
<main>
${problems(file.problems)}
${sections}
</main>
<footer><p>${file.backend ? `Computed on ${backendText(file.backend)}. ` : ''}Written by Assay. Nothing in this page is loaded from elsewhere.</p></footer>
</body>
</html>
`
  return page.markup
}

/** A sentence, what stands between backticks as code. */
function prose(sentence: string): Markup {
  return html`${sentence.split('`').map((part, i, parts) => (i % 2 === 1 && i < parts.length - 1 ? html`<code>${part}</code>` : i % 2 === 1 ? `\`${part}` : part))}`
}

function pill(result: Result): Markup {
  return html`<span class="pill ${mood(result)}">${verdict(result)}</span>`
}

function navigation(views: readonly View[]): Markup {
  if (views.length < 2) return html``
  const items = views.map((view, i) => html`<li><a href="#r${i}">${view.result.name} ${pill(view.result)}</a></li>`)
  return html`<nav aria-label="Declarations"><ul>${items}</ul></nav>`
}

function problems(found: readonly ReportedProblem[]): Markup {
  if (found.length === 0) return html``
  const items = found.map(
    (p) => html`<li><code>${p.file}:${p.line}:${p.column}</code> ${p.severity}: ${prose(withHint(p.message, p.hint))}</li>`,
  )
  return html`<section><h2>Problems</h2><ul class="problems">${items}</ul></section>`
}

async function section(view: View, i: number): Promise<Markup> {
  const { result } = view
  const [first, ...others] = sentences(result)
  const provenance = result.status === 'skipped' ? '' : provenanceText(result.provenance)
  return html`<section id="r${i}">
<h2><span class="kind">${result.kind}</span> ${result.name} ${pill(result)}</h2>
${view.doc ? html`<p class="doc">${view.doc}</p>` : ''}
${first ? html`<p class="lead">${prose(first)}</p>` : ''}
${others.map((sentence) => html`<p>${prose(sentence)}</p>`)}
${numbers(result)}
${await body(view)}
${(result.notes ?? []).map((note) => html`<p class="note">${prose(note)}</p>`)}
${view.text ? html`<details><summary>As declared</summary><pre>${view.text}</pre></details>` : ''}
${sqlOf(result)}
${provenance ? html`<p class="provenance">${provenance}</p>` : ''}
</section>`
}

/** The figures that matter most, large. */
function numbers(result: Result): Markup {
  const figures = headline(result)
  if (figures.length === 0) return html``
  const items = figures.map(
    ({ name, value, mood: tone }) => html`<div class="${tone === 'quiet' ? '' : tone}"><dt>${name}</dt><dd>${value}</dd></div>`,
  )
  return html`<dl class="numbers">${items}</dl>`
}

async function body(view: View): Promise<Markup> {
  const { result } = view
  const tables = tablesOf(result, rowsShown)
  const charts = await chartsOf(result)
  const drawn =
    charts.length > 0
      ? html`<figure><div class="charts">${charts.map((chart) => trusted(chart.svg))}</div><figcaption>${charts.map((chart) => chart.sentence).join(' ')}</figcaption></figure>`
      : html``
  if (result.status === 'planned') return steps(result)
  if (result.kind === 'complaint') return complaintBody(view, result, tables, drawn)
  if (result.kind === 'source') return html`${tables.map((table) => folded(table))}`
  return html`${drawn}${tables.map(tableMarkup)}`
}

async function complaintBody(view: View, result: ComplaintResult, tables: readonly Table[], chart: Markup): Promise<Markup> {
  const urls = await pngUrls(view.pictures)
  const ranking = result.ranking ?? []
  const seen = ranking.filter((row) => urls.has(JSON.stringify(row.key))).slice(0, picturesShown)
  const rankingTable = ranking.length > 0 ? tables.at(-1) : undefined
  const single = (result.expectations?.length ?? 0) === 1
  const expectations = tables.filter((table) => table.id === 'expected').map((table) => (single ? folded(table) : tableMarkup(table)))
  const inCommon = tables.filter((table) => table.id === 'explanation').map(tableMarkup)
  if (!rankingTable) return html`${expectations}`
  const shown =
    seen.length > 0
      ? html`${suspectGrid(seen, urls, scoreOf(result).name)}${seen.length < ranking.length ? html`<p class="quiet">${cutText(seen.length, ranking.length, 'suspect')}</p>` : ''}`
      : tableMarkup({ ...rankingTable, title: '' })
  return html`${expectations}
<h3>${rankingTitle(result)}</h3>
<p class="quiet">${rankingNote(result)}</p>
${shown}
${inCommon}
${chart}
${seen.length > 0 ? folded({ ...rankingTable, title: 'The same as a table' }) : ''}`
}

function suspectGrid(rows: readonly RankedRow[], urls: ReadonlyMap<string, string>, score: string): Markup {
  const influences = figures(
    rows.map((row) => row.influence),
    3,
  )
  const items = rows.map((row, i) => {
    const differs = row.prediction !== undefined && row.label !== undefined && row.prediction !== row.label
    const probability = row.confidence === undefined ? '' : ` ${row.confidence.toFixed(2)}`
    return html`<li><span class="rank">${row.rank}</span><img alt="row ${keyText(row.key)}" src="${urls.get(JSON.stringify(row.key))}"><div class="facts">
${row.label === undefined ? '' : html`<div><span>label</span><b>${cell(row.label, 24)}</b></div>`}
${row.prediction === undefined ? '' : html`<div class="${differs ? 'differs' : ''}"><span>model${probability}</span><b>${cell(row.prediction, 24)}</b></div>`}
<div><span>${score}</span>${influences[i]}</div>
<div><span>key</span>${keyText(row.key, 16)}</div></div></li>`
  })
  return html`<ol class="suspects">${items}</ol>`
}

function tableMarkup(table: Table): Markup {
  const align = (c: number) => (table.columns[c]?.align === 'right' ? trusted(' class="right"') : '')
  const head = table.columns.map((column, c) => html`<th scope="col"${align(c)}>${column.head}</th>`)
  const rows = table.rows.map((row) => html`<tr>${row.map((text, c) => html`<td${align(c)}>${text}</td>`)}</tr>\n`)
  return html`${table.title ? html`<h3>${table.title}</h3>` : ''}<div class="scroll" tabindex="0" role="region" aria-label="${table.title || 'Table'}"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>${table.note ? html`<p class="quiet">${table.note}</p>` : ''}`
}

function folded(table: Table): Markup {
  return html`<details><summary>${table.title}</summary>${tableMarkup({ ...table, title: '' })}</details>`
}

function steps(result: Result): Markup {
  const items = (result.steps ?? []).map((step) => {
    const facts = [step.rows === null ? '' : `${figure(step.rows)} rows`, step.cost === undefined ? '' : `cost ${figure(step.cost)}`]
    return html`<li>${step.what} ${facts.filter((fact) => fact).join(', ')}${step.sql ? html`<pre>${step.sql}</pre>` : ''}</li>`
  })
  return html`<ol>${items}</ol>`
}

function sqlOf(result: Result): Markup {
  const sql = writtenSql(result)
  return sql
    ? html`<details><summary>${result.kind === 'assert' ? 'The SQL that found them' : 'The query'}</summary><pre>${sql}</pre></details>`
    : html``
}
