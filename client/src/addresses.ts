import { Uri } from 'vscode'
import type { PageAddress } from '../../server/src/protocol/pages.ts'

/** One spelling for each file: editors and servers escape drive letters and blanks differently. */
export const sameUri = (uri: string): string => Uri.parse(uri).toString()

export const addressKey = ({ uri, name, what, where, limit, query }: PageAddress): string =>
  JSON.stringify([sameUri(uri), name.toLowerCase(), what, where ?? null, limit ?? null, query ?? null])

/** What a panel kept over a reload, if it is that. */
export function addressIn(state: unknown): PageAddress | undefined {
  const { address } = (state ?? {}) as { address?: Partial<PageAddress> }
  if (typeof address?.uri !== 'string' || typeof address.name !== 'string') return undefined
  const what = (['result', 'preview', 'plan'] as const).find((one) => one === address.what)
  if (what === undefined) return undefined
  const { uri, name } = address
  const where = typeof address.where === 'string' ? { where: address.where } : {}
  const limit = Number.isSafeInteger(address.limit) ? { limit: address.limit } : {}
  const query = typeof address.query === 'string' ? { query: address.query } : {}
  return { uri, name, what, ...where, ...limit, ...query }
}
