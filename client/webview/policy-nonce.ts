/**
 * Imported before the toolkit: as it loads, it puts a style element into the page to learn whether the browser knows `:focus-visible`. Under the page's policy
 * that takes a nonce, which the toolkit looks for here.
 */
const { nonce } = document.currentScript as HTMLScriptElement
if (nonce) {
  const meta = document.createElement('meta')
  meta.setAttribute('property', 'csp-nonce')
  meta.content = nonce
  document.head.append(meta)
}

export {}
