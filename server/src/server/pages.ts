import type { ActAnswer, ActArguments } from '../protocol/messages.ts'
import type { Page, PageAddress } from '../protocol/pages.ts'
import type { View } from '../protocol/views.ts'
import { pageOf } from '../report/page.ts'
import { viewsOf } from '../report/views.ts'
import type { Snapshot } from '../workspace/snapshot.ts'
import { act } from './acts.ts'
import type { Following } from './background.ts'
import { existing, planDeclarations } from './commands.ts'
import { previewOf } from './preview.ts'
import { Unable } from './unable.ts'
import type { Workspace } from './workspace.ts'

/** What panels are given to draw, and what they ask to be done with the rows that they were given: those are remembered for a while. */
export interface Pages {
  /** Null where there is nothing to show yet. A preview reads rows; nothing else computes. */
  page(address: unknown, onCancel: Following['onCancel']): Promise<Page | null>
  act(args: unknown): Promise<ActAnswer>
}

const remembered = 32

export function openPages(workspace: Workspace): Pages {
  const given = new Map<string, { readonly page: Page; readonly view: View }>()
  const make = async (address: PageAddress, onCancel: Following['onCancel']): Promise<{ page: Page; view: View } | undefined> => {
    const found = await material(workspace, address, onCancel)
    if (found === undefined) return undefined
    const made = { page: await pageOf({ address, ...found }), view: found.view }
    given.delete(JSON.stringify(address))
    given.set(JSON.stringify(address), made)
    if (given.size > remembered) given.delete(given.keys().next().value!)
    return made
  }
  return {
    page: async (address, onCancel) => (await make(addressOf(address), onCancel))?.page ?? null,
    async act(args) {
      const { address, action, section, rows, column, input } = (args ?? {}) as Partial<ActArguments>
      const wrong = !Array.isArray(rows) || rows.some((row) => !Number.isInteger(row))
      if (typeof action !== 'string' || wrong) throw new Unable('An act has an `address`, an `action` and `rows`, which are whole numbers.')
      if (column !== undefined && !Number.isInteger(column)) throw new Unable('The `column` of an act is a whole number.')
      if (input !== undefined && typeof input !== 'string') throw new Unable('The `input` of an act is a text.')
      const place = addressOf(address)
      const known = given.get(JSON.stringify(place)) ?? (await make(place, () => {}))
      if (known === undefined) return { say: 'There is no result to do this with: run it first.' }
      return act({ workspace, ...known, action, section, rows, column, input })
    },
  }
}

async function material(
  workspace: Workspace,
  address: PageAddress,
  onCancel: Following['onCancel'],
): Promise<{ view: View; state: Page['state'] } | undefined> {
  const { uri, name, what, where, limit, query } = address
  if (what === 'preview') {
    const { view } = await previewOf(workspace, { uri, name, where, limit, query }, { handle: () => {}, onCancel })
    return { view, state: 'current' }
  }
  if (what === 'plan') {
    const { results } = await planDeclarations(workspace, { uri, names: [name] })
    const result = results.find((one) => one.name.toLowerCase() === name.toLowerCase())
    return result && { view: viewFor(existing(workspace, uri), { result, pictures: {} }), state: 'current' }
  }
  const snapshot = existing(workspace, uri)
  const { spec } = snapshot.checked
  const folder = workspace.folderOf(snapshot.path)
  const outcome = workspace.results.outcome(spec, name, folder)
  const state = workspace.results.last(spec, name, folder)?.state
  return outcome && { view: viewFor(snapshot, outcome), state: state ?? 'current' }
}

function viewFor(snapshot: Snapshot, outcome: Parameters<typeof viewsOf>[0][number]): View {
  const texts = new Map([...snapshot.files.values()].map((one) => [one.path, one.text]))
  return viewsOf([outcome], snapshot.checked.spec, texts)[0]!
}

function addressOf(given: unknown): PageAddress {
  const { uri, name, what, where, limit, query } = (typeof given === 'object' && given !== null ? given : {}) as Partial<PageAddress>
  if (typeof uri !== 'string' || typeof name !== 'string' || !['result', 'preview', 'plan'].includes(String(what)))
    throw new Unable('A page has an address, as { "uri": "file:///…/spec.assay", "name": "…", "what": "result" }; or "preview", or "plan".')
  if (where !== undefined && typeof where !== 'string') throw new Unable('`where` is a condition, as text.')
  if (limit !== undefined && !Number.isInteger(limit)) throw new Unable('`limit` is a whole number of rows.')
  if (query !== undefined && typeof query !== 'string') throw new Unable('`query` is a query of the language, as text.')
  const more = {
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(query === undefined ? {} : { query }),
  }
  return { uri, name, what: what!, ...more }
}
