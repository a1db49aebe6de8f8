import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Empty } from './parts.tsx'

/** A part of its own file, which is loaded when it is first shown. `silent`: shown meanwhile, and if it does not come. */
export const lazy = <P extends object>(
  load: () => Promise<ComponentType<P>>,
  silent?: null,
): ComponentType<P> => {
  let loaded: ComponentType<P> | null = null
  return (props: P) => {
    const [state, setState] = useState<'loading' | 'here' | 'failed'>('loading')
    const [attempt, setAttempt] = useState(0)
    // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt loads again
    useEffect(() => {
      if (loaded !== null) return
      load().then(
        (found) => {
          loaded = found
          setState('here')
        },
        () => setState('failed'),
      )
    }, [attempt])
    if (loaded !== null) {
      const Loaded = loaded
      return <Loaded {...props} />
    }
    if (silent !== undefined) return silent
    if (state !== 'failed') return <Empty>Loading…</Empty>
    return (
      <p role="alert">
        This page did not come: the server is away, or has a newer version.{' '}
        <button
          type="button"
          onClick={() => {
            setState('loading')
            setAttempt(attempt + 1)
          }}
        >
          Try again
        </button>{' '}
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </p>
    )
  }
}
