import { useEffect, useRef } from 'preact/hooks'

let sheet: Promise<CSSStyleSheet> | null = null

/** The style sheet of the page, for shadow roots. */
const styled = async (root: ShadowRoot): Promise<void> => {
  sheet ??= (async () => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')!
    const made = new CSSStyleSheet()
    await made.replace(await (await fetch(link.href)).text())
    return made
  })()
  root.adoptedStyleSheets = [await sheet]
}

interface Place {
  open: (root: ShadowRoot) => Promise<() => void>
  /** Only as high as its text. */
  isLow?: boolean
}

/**
 * A place for an editor: CodeMirror's style sheets are adopted by a shadow root, where it would put style elements into
 * a page, which the page's policy forbids. `open` fills it and returns the function that empties it again; another `of`
 * has it filled anew.
 */
export const Shadow = ({ of, ...place }: Place & { of: string }) => <Host key={of} {...place} />

const Host = ({ open, isLow = false }: Place) => {
  const host = useRef<HTMLDivElement>(null)
  const fill = useRef(open)
  useEffect(() => {
    if (host.current === null) return
    const root = host.current.attachShadow({ mode: 'open' })
    let close: (() => void) | null = null
    let isGone = false
    void (async () => {
      await styled(root)
      if (isGone) return
      const closing = await fill.current(root)
      if (isGone) closing()
      else close = closing
    })()
    return () => {
      isGone = true
      close?.()
    }
  }, [])
  return <div class={isLow ? 'editor low' : 'editor'} ref={host} />
}
