/** The editor's settings under the names that the server knows: `diagnostics.maxPerFile` is in a group here, which the protocol has not. */
export function serverSettings(section: unknown): unknown {
  if (typeof section !== 'object' || section === null) return section
  const { diagnostics, ...others } = section as { readonly diagnostics?: { readonly maxPerFile?: unknown } }
  return diagnostics?.maxPerFile === undefined ? others : { ...others, maxPerFile: diagnostics.maxPerFile }
}
