import { computed, effect, signal } from '@preact/signals'

/** The open page, from the fragment of the address: `#/board`. */
export const place = signal(location.hash)
addEventListener('hashchange', () => {
  place.value = location.hash
})

/** The parts of the page's place: `#/file/a%2Fb.md` is `['file', 'a/b.md']`. */
export const path = computed((): string[] => {
  const parts = place.value.replace(/^#\/?/, '').split('/')
  return parts.map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })
})

export const linkTo = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`

/** The title of the tab names the page. */
effect(() => {
  const [first = ''] = path.value
  document.title =
    first === '' ? 'ClawLink' : `${first[0]!.toUpperCase()}${first.slice(1)} · ClawLink`
})
