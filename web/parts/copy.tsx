import { useSignal } from '@preact/signals'

const WORDS = { new: 'Copy', done: 'Copied', refused: 'Select it and copy by hand' } as const

/** A button that copies a text. Browsers let pages copy over TLS and on localhost only. */
export const Copy = ({ text }: { text: string }) => {
  const state = useSignal<keyof typeof WORDS>('new')
  return (
    <button
      type="button"
      onClick={async () => {
        try {
          await navigator.clipboard.writeText(text)
          state.value = 'done'
        } catch {
          state.value = 'refused'
        }
      }}
    >
      {WORDS[state.value]}
    </button>
  )
}
